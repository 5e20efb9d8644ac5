import type { Clock } from './clock.ts';
import { LONGEST_TIMER } from './clock.ts';

/**
 * One timer for many deadlines, set for the earliest. When it fires, the call it was set for has usually settled, and the owner
 * then walks its calls to find the next deadline. So a call costs no timer, and deadlines are still exact to the ms.
 */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  /** When the timer fires, on the clock. */
  #at = Infinity;
  #timer: unknown;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at this time at the latest. */
  wakeBy(time: number): void {
    if (time >= this.#at || time === Infinity) return;
    this.#clock.clearTimeout(this.#timer);
    this.#at = time;
    const delay = Math.min(Math.ceil(time - this.#clock.now()), LONGEST_TIMER);
    this.#timer = this.#clock.setTimeout(() => {
      this.#at = Infinity;
      this.#ring();
    }, delay);
  }

  clear(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#at = Infinity;
  }
}
