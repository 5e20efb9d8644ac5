import { FairQueue } from './fair-queue.ts';
import type { Limited, Load, LoadWatcher } from './limited.ts';

/** Calls of one function that run here at the same time, and those that wait for them. All local peers share it. */
export class Turns implements Limited {
  /** How many may run. */
  most: number;
  /** How many may wait. */
  queue: number;
  running = 0;
  readonly watchers = new Set<LoadWatcher>();
  readonly #waiting = new FairQueue<() => void>();
  #isDue = false;

  constructor(most: number, queue: number) {
    this.most = most;
    this.queue = queue;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get load(): Load {
    return { running: this.running, waiting: this.waiting, limit: this.most };
  }

  get hasRoom(): boolean {
    return this.running + this.#waiting.size < this.most;
  }

  get isFull(): boolean {
    return this.#waiting.size >= this.queue;
  }

  /** Takes a place if one is free. Whoever takes one must call `leave`. */
  take(): boolean {
    if (this.running >= this.most || this.#waiting.size > 0) return false;
    this.running += 1;
    return true;
  }

  /**
   * Calls `start` once a place is free; the place is then taken.
   * @param caller callers take turns
   * @returns a function that ends the wait
   */
  wait(caller: object, start: () => void): () => void {
    this.#waiting.push(caller, start);
    return () => {
      this.#waiting.remove(caller, start);
      this.#changed();
    };
  }

  leave(): void {
    this.running -= 1;
    this.#changed();
    this.#startSoon();
  }

  #changed(): void {
    if (this.watchers.size > 0) for (const watcher of this.watchers) watcher.changed();
  }

  /** In a later turn of the event loop: the next function may compute for long, and an answer may be on its way out. */
  #startSoon(): void {
    if (this.#isDue || this.#waiting.size === 0 || this.running >= this.most) return;
    this.#isDue = true;
    setImmediate(this.#startNext);
  }

  readonly #startNext = (): void => {
    this.#isDue = false;
    if (this.running < this.most) {
      const start = this.#waiting.take();
      if (start) {
        this.running += 1;
        start();
      }
    }
    this.#startSoon();
  };
}
