import type { Thread } from './thread.ts';

/** A spare thread is ended when it was not needed for this long, in ms. */
const KEPT = 60_000;

/**
 * A thread that has loaded its file and waits to take the place of one that is ended. A start takes tens of ms, and the next call
 * would have to wait for it.
 */
export class Spare {
  #thread: Thread | undefined;
  /** On the clock. */
  #until = 0;

  /** When it is to be ended, on the clock; Infinity if there is none. */
  get endsAt(): number {
    return this.#thread ? this.#until : Infinity;
  }

  /** Has a thread ready, and keeps it for a while from now on. */
  prepare(now: number, make: () => Thread | undefined): void {
    this.#thread ??= make();
    this.#until = now + KEPT;
  }

  take(): Thread | undefined {
    const thread = this.#thread;
    this.#thread = undefined;
    return thread;
  }

  /** The thread has ended. */
  forget(thread: Thread): void {
    if (this.#thread === thread) this.#thread = undefined;
  }
}
