import type { Call } from './call.ts';

/** Entries that may have been removed before the list is gone through, beside as many as are still there. */
const SLACK = 64;

/**
 * Calls that wait for one peer, oldest first. To take one out of the middle, as a cancel does, only counts it out: it is
 * settled, and passed over when its turn comes. So a flood of cancels costs no walk each.
 */
export class CallQueue {
  /** How many wait. */
  size = 0;
  #calls: Call[] = [];
  #first = 0;

  push(call: Call): void {
    this.#calls.push(call);
    this.size += 1;
  }

  /** The oldest one, which stays. */
  peek(): Call | undefined {
    while (this.#calls[this.#first]?.settled) this.#first += 1;
    const call = this.#calls[this.#first];
    if (call === undefined) this.#clear();
    return call;
  }

  /** Takes out the one that `peek` has just shown. */
  drop(): void {
    this.#first += 1;
    this.size -= 1;
    this.#tidy();
  }

  /** Counts out a call that is settled, or is about to be. */
  remove(): void {
    this.size -= 1;
    this.#tidy();
  }

  /** Empties the queue. */
  takeAll(): Call[] {
    const calls = this.waiting();
    this.#clear();
    this.size = 0;
    return calls;
  }

  /** All that wait, oldest first. */
  waiting(): Call[] {
    return this.#calls.slice(this.#first).filter((call) => !call.settled);
  }

  #tidy(): void {
    if (this.#calls.length <= 2 * this.size + SLACK) return;
    this.#calls = this.#calls.slice(this.#first).filter((call) => !call.settled);
    this.#first = 0;
  }

  #clear(): void {
    this.#calls = [];
    this.#first = 0;
  }
}
