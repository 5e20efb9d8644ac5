import { FIRST_BYTES, FIRST_CREDIT } from '../../wire/frames.ts';

/** The part of its owner that the reader of a stream needs. */
export interface ReaderOwner {
  /** Lets the other side send this many more values, and this many more bytes. */
  credit(count: number, bytes: number): void;
  /** The stream is not read any further. Not called for a stream that has ended by itself. */
  cancel(): void;
  /** Whether a read waits for a value. */
  waiting(is: boolean): void;
}

type Step = IteratorResult<unknown, unknown>;

/**
 * Credit is given back after this many values were read, so that credit frames are few and the writer never runs dry.
 */
const REFILL = FIRST_CREDIT / 2;

/**
 * Credit is also given back after half of this window in bytes. The window grows to this size once something was read;
 * a stream that nobody reads holds less. With windows of 1 MiB, values of 1 MiB go one at a time, at 1.3 times the CPU
 * time of 4 MiB.
 */
export const WINDOW = 4 * FIRST_BYTES;

/**
 * The reading end of a stream from another process: an async generator like the one that runs there. It holds at most
 * `FIRST_CREDIT` unread values, and less than `WINDOW` bytes of them plus one value. A reader that stops reading stops
 * the writer.
 */
export class StreamReader implements AsyncGenerator<unknown, unknown, void> {
  readonly #owner: ReaderOwner;
  #values: unknown[] = [];
  /** How much credit each of the unread values takes. */
  #sizes: number[] = [];
  /** Reads that wait for a value. */
  #reads: ((step: Step | PromiseLike<Step>) => void)[] = [];
  /** Values that the other side may still send. */
  #credit = FIRST_CREDIT;
  /** Bytes that the other side may still send. Below zero after a value that was larger than the rest. */
  #bytes = FIRST_BYTES;
  /** How many bytes may be sent and unread, not counting the last value. */
  #window = FIRST_BYTES;
  /** Values that were read since credit was last given, and their bytes. */
  #read = 0;
  #readBytes = 0;
  /** How the stream ends after its last value. */
  #end: (() => Step | PromiseLike<Step>) | undefined;

  constructor(owner: ReaderOwner) {
    this.#owner = owner;
  }

  /** A value from the other side. @returns false when that side sends more than it may */
  push(value: unknown, size: number): boolean {
    if (this.#end) return true;
    if (this.#credit === 0 || this.#bytes <= 0) return false;
    this.#credit -= 1;
    this.#bytes -= size;
    const read = this.#reads.shift();
    if (!read) {
      this.#values.push(value);
      this.#sizes.push(size);
      return true;
    }
    if (this.#reads.length === 0) this.#owner.waiting(false);
    this.#count(size);
    read({ done: false, value });
    return true;
  }

  /** The other side has sent everything. */
  complete(value: unknown): void {
    this.#finish(() => ({ done: true, value }));
  }

  /** @param make is called once, when the failure is read: only then can the engine see which function reads */
  fail(make: () => Promise<never>): void {
    this.#finish(make);
  }

  next(): Promise<Step> {
    if (this.#values.length > 0) {
      const value = this.#values.shift();
      this.#count(this.#sizes.shift()!);
      return Promise.resolve({ done: false, value });
    }
    if (this.#end) return this.#takeEnd();
    if (this.#reads.length === 0) this.#owner.waiting(true);
    return new Promise((resolve) => this.#reads.push(resolve));
  }

  /** Ends the reading. The generator at the other side is ended too, and runs its `finally`. */
  return(value?: unknown): Promise<Step> {
    this.#abandon();
    return Promise.resolve({ done: true, value });
  }

  throw(error: unknown): Promise<Step> {
    this.#abandon();
    // It may be any value, and goes back to the code that gave it.
    // oxlint-disable-next-line prefer-promise-reject-errors
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Counts a value that was read. */
  #count(size: number): void {
    this.#read += 1;
    this.#readBytes += size;
    // The credit that is held back is always less than half, so a writer whose every value was read can always
    // continue.
    if ((this.#read < REFILL && this.#readBytes < this.#window / 2) || this.#end) return;
    const bytes = this.#readBytes + WINDOW - this.#window;
    this.#window = WINDOW;
    this.#credit += this.#read;
    this.#bytes += bytes;
    this.#owner.credit(this.#read, bytes);
    this.#read = 0;
    this.#readBytes = 0;
  }

  #finish(end: () => Step | PromiseLike<Step>): void {
    if (this.#end) return;
    this.#end = end;
    const reads = this.#reads.splice(0);
    if (reads.length === 0) return;
    this.#owner.waiting(false);
    for (const read of reads) read(this.#takeEnd());
  }

  /** A generator that has ended gives `done` from then on. */
  #takeEnd(): Promise<Step> {
    const end = this.#end!;
    this.#end = finished;
    return Promise.resolve(end());
  }

  #abandon(): void {
    this.#values = [];
    this.#sizes = [];
    const open = this.#end === undefined;
    this.#finish(finished);
    this.#end = finished;
    if (open) this.#owner.cancel();
  }
}

function finished(): Step {
  return { done: true, value: undefined };
}
