import type { GivenStreams } from './given-streams.ts';
import { StreamSource } from './stream-source.ts';
import { isStream } from '../../base/value-shape.ts';

type Step = IteratorResult<unknown, unknown>;

/** The source that a stream is read from. */
interface Reader {
  next(): Promise<Step>;
  return?(): unknown;
}

/**
 * A stream whose call is made by the first `next()`, just as the body of an async generator begins to run only then. A
 * stream that is never read costs the other side nothing.
 */
export class RemoteStream implements AsyncGenerator<unknown, unknown, void> {
  readonly #call: () => Promise<unknown>;
  readonly #given: GivenStreams | undefined;
  #opening: Promise<Reader> | undefined;
  #reader: Reader | undefined;
  #over = false;

  /** @param given the streams among the arguments of the call, which may never be made */
  constructor(call: () => Promise<unknown>, given?: GivenStreams) {
    this.#call = call;
    this.#given = given;
  }

  /** For a call that is made already: the loop over the stream gets its failure. */
  begin(): void {
    this.#opening = this.#open();
    this.#opening.catch(() => {});
  }

  async next(): Promise<Step> {
    if (this.#over) return { done: true, value: undefined };
    this.#opening ??= this.#open();
    const reader = await this.#opening;
    return reader.next();
  }

  async return(value?: unknown): Promise<Step> {
    await this.#end();
    return { done: true, value };
  }

  async throw(error: unknown): Promise<Step> {
    await this.#end();
    // It may be any value, and goes back to the code that gave it.
    // oxlint-disable-next-line only-throw-error
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #open(): Promise<Reader> {
    try {
      const result = await this.#call();
      if (!isStream(result)) {
        throw new TypeError(
          'the function did not return a stream, so it cannot be iterated; await its result instead',
        );
      }
      this.#reader = readerOf(result);
      if (this.#over) await this.#leave(this.#reader);
      return this.#reader;
    } catch (error) {
      // A generator that has thrown has ended.
      this.#over = true;
      this.#given?.release();
      throw error;
    }
  }

  /**
   * A stream that is not open yet is cancelled when it opens. Waiting for that could mean waiting for a silent peer.
   */
  async #end(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#given?.release();
    this.#opening?.catch(() => {});
    if (this.#reader) await this.#leave(this.#reader);
  }

  async #leave(reader: Reader): Promise<void> {
    try {
      await reader.return?.();
    } catch {
      // The connection was lost, which ends the stream too.
    }
  }
}

/** A hook may return a Node stream, or another iterable that is not an iterator itself, in place of the stream. */
function readerOf(stream: AsyncIterable<unknown>): Reader {
  if (typeof (stream as Partial<Reader>).next === 'function')
    return stream as AsyncIterable<unknown> & Reader;
  const source = new StreamSource(stream);
  return { next: () => source.next(), return: () => source.end() };
}

/** The streams of promises that were iterated. */
const streams = new WeakMap<Promise<unknown>, RemoteStream>();

function streamOf(promise: Promise<unknown>): RemoteStream {
  let stream = streams.get(promise);
  if (!stream) {
    stream = new RemoteStream(() => promise);
    streams.set(promise, stream);
    stream.begin();
  }
  return stream;
}

const METHODS: PropertyDescriptorMap & ThisType<Promise<unknown>> = {
  next: method(function next(this: Promise<unknown>) {
    return streamOf(this).next();
  }),
  return: method(function end(this: Promise<unknown>, value?: unknown) {
    return streamOf(this).return(value);
  }),
  throw: method(function fail(this: Promise<unknown>, error?: unknown) {
    return streamOf(this).throw(error);
  }),
  [Symbol.asyncIterator]: method(function iterate(this: Promise<unknown>) {
    return streamOf(this);
  }),
  [Symbol.asyncDispose]: method(function dispose(this: Promise<unknown>) {
    return streamOf(this)[Symbol.asyncDispose]();
  }),
};

function method(value: (this: Promise<unknown>, argument?: unknown) => unknown): PropertyDescriptor {
  return { value, writable: true, configurable: true };
}

/**
 * Makes the promise of a result iterable too. When only the tag of a function is known, nobody can tell before the
 * answer whether the result is a value or a stream.
 */
export function asStream(promise: Promise<unknown>): Promise<unknown> {
  return Object.defineProperties(promise, METHODS);
}
