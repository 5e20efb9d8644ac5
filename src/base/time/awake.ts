import type { Clock } from './clock.ts';

/** The time is cut into this many steps. A stall of this process counts as one step at most. */
const STEPS = 4;

/**
 * A timer that counts only the time in which this process was awake. Between its steps the event loop turns and reads what has
 * arrived. So the timer never blames a peer for not answering while this process did not listen, because it was stopped,
 * suspended or busy. Returns a function that cancels the timer.
 * @param milliseconds time awake until `callback` runs
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
