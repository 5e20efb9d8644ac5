import { FIRST_CREDIT } from '../wire/frames.ts';
import type { Link } from './link.ts';

/**
 * Bytes written to a connection and not yet taken by the network, above which a stream waits. Well below
 * `limits.buffered`, so that a stream nobody reads leaves room for the calls beside it.
 */
const STREAM_BUFFER = 1024 * 1024;

/** What the writer of a stream needs of the side it is on. */
export interface WriterOwner {
  /** Sends a value. @throws for what cannot be sent */
  next(value: unknown): void;
  /** The source is at its end. @throws for a value that cannot be sent */
  complete(value: unknown): void;
  /** The source failed. */
  failed(error: unknown): void;
  /** A value could not be sent; the source has been ended. */
  refused(error: unknown): void;
  /** Runs a step of the user's code where it belongs. */
  run<T>(step: () => T): T;
  /** It was ended from outside, and its source has settled. */
  ended(): void;
}

/**
 * The sending end of a stream: takes a value from its source only when the reader has given credit and the network
 * takes what was sent. So a slow reader holds the source, not memory.
 */
export class StreamWriter {
  readonly #link: Link;
  readonly #source: AsyncIterator<unknown, unknown>;
  readonly #owner: WriterOwner;
  #credit = FIRST_CREDIT;
  #pumping = false;
  /** Ended from outside. */
  #over = false;
  #done = false;

  constructor(link: Link, source: AsyncIterator<unknown, unknown>, owner: WriterOwner) {
    this.#link = link;
    this.#source = source;
    this.#owner = owner;
  }

  start(): void {
    void this.#pump();
  }

  /** From the reader: so many values more. */
  credit(count: number): void {
    this.#credit += count;
    void this.#pump();
  }

  /** Ends the source, as `break` does; what it does in its `finally` is waited for by `ended`. */
  stop(): void {
    if (this.#over || this.#done) return;
    this.#over = true;
    void this.#endSource().then(() => this.#owner.ended());
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#over && !this.#done && this.#credit > 0) {
      if (this.#link.socket.bufferedAmount > STREAM_BUFFER) {
        this.#link.whenDrained(() => void this.#pump());
        break;
      }
      // One value after the other is what a stream is.
      // oxlint-disable-next-line no-await-in-loop
      await this.#step();
    }
    this.#pumping = false;
  }

  async #step(): Promise<void> {
    let step: IteratorResult<unknown, unknown>;
    try {
      step = await this.#owner.run(() => this.#source.next());
    } catch (error) {
      this.#done = true;
      if (!this.#over) this.#owner.failed(error);
      return;
    }
    if (step.done) this.#done = true;
    if (this.#over) return;
    try {
      if (step.done) {
        this.#owner.complete(step.value);
      } else {
        this.#credit -= 1;
        this.#owner.next(step.value);
      }
    } catch (error) {
      if (!step.done) await this.#endSource();
      this.#done = true;
      this.#owner.refused(error);
    }
  }

  async #endSource(): Promise<void> {
    try {
      await this.#owner.run(() => this.#source.return?.());
    } catch {
      // Nobody is there any more who could be told.
    }
  }
}
