import { SimulatedClock as XStateClock } from 'xstate';

import type { Clock } from './clock.ts';

/**
 * A clock that stands still until a test moves it. Timers that fall due are then called in order.
 *
 * @example
 * const clock = new SimulatedClock();
 * const customer = createPeer({ network: new MemoryNetwork(), clock });
 * clock.increment(1_000); // a call with a deadline of 1,000 ms fails now
 */
export class SimulatedClock implements Clock {
  /** Not its base class, since the declarations of this class must not import XState's: see peer/actor-types.ts. */
  readonly #clock = new XStateClock();

  /** The ms that it was moved. */
  now(): number {
    return this.#clock.now();
  }

  /** Calls back when the clock reaches that time. Returns a handle for `clearTimeout`. */
  setTimeout(callback: () => void, milliseconds: number): number {
    return this.#clock.setTimeout(callback, milliseconds);
  }

  /** Cancels what `setTimeout` has planned. */
  clearTimeout(timer: number): void {
    this.#clock.clearTimeout(timer);
  }

  /** Moves the clock forward by this many ms. */
  increment(milliseconds: number): void {
    this.#clock.increment(milliseconds);
  }

  /** Moves the clock forward to this time, in ms. @throws Error for a time that has passed */
  set(milliseconds: number): void {
    this.#clock.set(milliseconds);
  }
}
