/**
 * Where a peer takes the time from. `SimulatedClock` of `app-net/testing` is one. A test that passes one decides when every
 * deadline, retry and time limit of the peer falls due.
 *
 * @example
 * const clock = new SimulatedClock();
 * const peer = createPeer({ network: new MemoryNetwork(), clock });
 * clock.increment(30_000); // its calls are at their deadline now
 */
export interface Clock {
  /** Returns the ms since any fixed origin. It must never go backwards, because deadlines are measured with it. */
  now(): number;
  /** Calls back after this many ms, and returns a handle for `clearTimeout`. */
  // Handles are the clock's own business, as in XState's `Clock`.
  // oxlint-disable-next-line typescript/no-explicit-any
  setTimeout(callback: (...args: any[]) => void, milliseconds: number): any;
  /** Cancels what `setTimeout` has planned. */
  // oxlint-disable-next-line typescript/no-explicit-any
  clearTimeout(timer: any): void;
}

/** @throws TypeError if `clock` is not a clock */
export function checkClock(clock: Clock): Clock {
  const methods = ['now', 'setTimeout', 'clearTimeout'] as const;
  if (methods.every((method) => typeof (clock as Clock | null)?.[method] === 'function')) return clock;
  throw new TypeError(
    `clock: give an object with ${methods.join(', ')}, such as SimulatedClock of app-net/testing`,
  );
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
