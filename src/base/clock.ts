/**
 * Where time comes from. XState's `SimulatedClock` has exactly this shape, so a test that passes one decides
 * when every deadline, retry and time limit of a peer falls due.
 */
export interface Clock {
  /** Milliseconds from any fixed origin. Must never go backwards: deadlines are measured with it. */
  now(): number;
  // Handles are the clock's own business, as in XState's `Clock`.
  // oxlint-disable-next-line typescript/no-explicit-any
  setTimeout(callback: (...args: any[]) => void, milliseconds: number): any;
  // oxlint-disable-next-line typescript/no-explicit-any
  clearTimeout(timer: any): void;
}

/** @throws TypeError if `clock` is not a clock */
export function checkClock(clock: Clock): Clock {
  const methods = ['now', 'setTimeout', 'clearTimeout'] as const;
  if (methods.every((method) => typeof (clock as Clock | null)?.[method] === 'function')) return clock;
  throw new TypeError(`clock: give an object with ${methods.join(', ')}, such as XState's SimulatedClock`);
}

/** The longest delay that Node's timers accept, in ms. A timer with a longer delay fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * The monotonic clock of this process. Its timers never keep the process alive; only `process-hold.ts` does that.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, milliseconds) =>
    setTimeout(callback, Math.min(Math.max(milliseconds, 0), LONGEST_TIMER)).unref(),
  clearTimeout: (timer) => clearTimeout(timer),
};
