import type { Clock } from './clock.ts';

/** Into how many steps the time is cut: of a stall of this process one step counts, and no more. */
const STEPS = 4;

/**
 * A timer that counts only time in which this process was awake: between its steps the event loop turns, and what
 * has arrived is read. So it never says that somebody did not answer in time when it was this process that did not
 * listen: stopped, suspended, or busy. Returns what ends it.
 * @param milliseconds of time awake
 */
export function afterAwake(clock: Clock, milliseconds: number, callback: () => void): () => void {
  let steps = 0;
  let timer: unknown;
  const wait = (): void => {
    timer = clock.setTimeout(() => {
      steps += 1;
      if (steps < STEPS) wait();
      else callback();
    }, milliseconds / STEPS);
  };
  wait();
  return () => clock.clearTimeout(timer);
}
