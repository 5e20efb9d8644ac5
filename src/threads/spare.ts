import type { Thread } from './thread.ts';

/** A spare thread is ended when it was not needed for this long, in ms. */
const KEPT = 60_000;

/** Spare threads while they are needed faster than they start. */
const MOST = 2;

/**
 * Threads that have loaded their file and wait to take the place of one that is ended. A start takes tens of ms, and the next call
 * would have to wait for it. There is one, and a second one once the first was needed before it had started.
 */
export class Spare {
  #threads: Thread[] = [];
  #wanted = 1;
  /** On the clock. */
  #until = 0;

  /** When they are to be ended, on the clock; Infinity if there is none. */
  get endsAt(): number {
    return this.#threads.length > 0 ? this.#until : Infinity;
  }

  /** Has threads ready, and keeps them for a while from now on. */
  prepare(now: number, make: () => Thread | undefined): void {
    this.#until = now + KEPT;
    while (this.#threads.length < this.#wanted) {
      const thread = make();
      if (!thread) return;
      this.#threads.push(thread);
    }
  }

  /** The one that started first. */
  take(): Thread | undefined {
    const thread = this.#threads.shift();
    if (thread && !thread.ready) this.#wanted = MOST;
    return thread;
  }

  /** Gives all of them back, because they are not needed any more. */
  takeAll(): Thread[] {
    const threads = this.#threads;
    this.#threads = [];
    this.#wanted = 1;
    return threads;
  }

  /** The thread has ended. */
  forget(thread: Thread): void {
    this.#threads = this.#threads.filter((each) => each !== thread);
  }
}
