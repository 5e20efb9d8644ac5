import { FIRST_BYTES, FIRST_CREDIT } from '../../wire/frames.ts';

/** What the reader of a stream needs of the side it is on. */
export interface ReaderOwner {
  /** Lets the other side send so many values, and so many bytes of them, more. */
  credit(count: number, bytes: number): void;
  /** The stream is read no further. Not called for one that has ended by itself. */
  cancel(): void;
  /** Whether a read waits for a value. */
  waiting(is: boolean): void;
}

type Step = IteratorResult<unknown, unknown>;

/** Credit is given back when so many values were read, so that its frames are few and the writer never runs dry … */
const REFILL = FIRST_CREDIT / 2;

/**
 * … or half of the window in bytes, which is this large once something was read. A stream that nobody reads holds less.
 * With windows of 1 MiB values of 1 MiB go one at a time: 1.3 times the CPU time of 4 MiB.
 */
export const WINDOW = 4 * FIRST_BYTES;

/**
 * The reading end of a stream from another process: an async generator as the one that runs there. Of what was sent
 * and not yet read it holds at most `FIRST_CREDIT` values, and less than `WINDOW` of them and one more; a reader that stops
 * stops the writer.
 */
export class StreamReader implements AsyncGenerator<unknown, unknown, void> {
  readonly #owner: ReaderOwner;
  #values: unknown[] = [];
  /** How much credit each of them takes. */
  #sizes: number[] = [];
  /** Reads that wait for a value. */
  #reads: ((step: Step | PromiseLike<Step>) => void)[] = [];
  /** Values that the other side may still send. */
  #credit = FIRST_CREDIT;
  /** How much of them. Below zero after a value that was larger than the rest. */
  #bytes = FIRST_BYTES;
  /** How much may be sent and unread, the last value aside. */
  #window = FIRST_BYTES;
  /** Values read since credit was last given, and how much they were. */
  #read = 0;
  #readBytes = 0;
  /** How it ends once the values are read. */
  #end: (() => Step | PromiseLike<Step>) | undefined;

  constructor(owner: ReaderOwner) {
    this.#owner = owner;
  }

  /** From the other side. False when it sends more than it may. */
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

  /** @param make is asked once, when the failure is read: by then the engine can see who reads */
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

  /** Ends the reading; the generator there is ended too, and runs its `finally`. */
  return(value?: unknown): Promise<Step> {
    this.#abandon();
    return Promise.resolve({ done: true, value });
  }

  throw(error: unknown): Promise<Step> {
    this.#abandon();
    // Whatever it is, it goes back to who gave it.
    // oxlint-disable-next-line prefer-promise-reject-errors
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** A value was read. */
  #count(size: number): void {
    this.#read += 1;
    this.#readBytes += size;
    // What is not given back is less than half, so a writer whose every value was read can always go on.
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

  /** A generator that has ended once says so from then on. */
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
