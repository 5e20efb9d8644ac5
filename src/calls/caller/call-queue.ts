import type { Call } from './call.ts';

/** Removed entries that may stay in the list, in addition to as many as still wait. */
const SLACK = 64;

/**
 * Calls that wait for one peer, oldest first. A cancel does not search the list. It lowers the count, and the settled
 * call is skipped when its turn comes. So a flood of cancels is cheap.
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

  /** The oldest call, which stays in the queue. */
  peek(): Call | undefined {
    while (this.#calls[this.#first]?.settled) this.#first += 1;
    const call = this.#calls[this.#first];
    if (call === undefined) this.#clear();
    return call;
  }

  /** Removes the call that `peek` has just returned. */
  drop(): void {
    this.#first += 1;
    this.size -= 1;
    this.#tidy();
  }

  /** Lowers the count for a call that is settled, or is about to be. */
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

  /** All calls that wait, oldest first. */
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
