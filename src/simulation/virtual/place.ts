import { AsyncLocalStorage } from 'node:async_hooks';

import type { Random } from '../random.ts';
import type { Entry } from '../timeline.ts';

/**
 * Where code runs: in the story, or in one of its processes. It decides what the time is, which chance is drawn, and whose timers
 * die with it. Code outside of every story has none, and gets the real globals.
 */
export interface Place {
  /** The process, for messages; empty: the story. */
  readonly name: string;
  /** The run that it belongs to. What is still under way when that is over does not count. */
  readonly run: { isOver: boolean };
  /** Monotonic time, in ms. */
  now(): number;
  /** The time of day, in ms since 1970. */
  wall(): number;
  readonly random: Random;
  /** Plans a call. Its time is by the clock of the place. */
  after(delay: number, run: () => void): Entry;
  cancel(entry: Entry): void;
  /** Runs work that ends on another thread. Meanwhile time stands still, so that its end has a place among the steps. */
  waitFor<T>(work: () => Promise<T>): Promise<T>;
}

/** The place survives every `await`, timer and listener. */
export const places = new AsyncLocalStorage<Place>();

/** Whether the code that runs now belongs to a story. Node runs no other code between two steps of a turn. */
export const turn = { isUnderWay: false };
