import { isStream } from './value-shape.ts';

/** What a stream's call resolves with. */
type Reader = AsyncGenerator<unknown, unknown, void>;
type Step = IteratorResult<unknown, unknown>;

/**
 * A stream whose call is made by the first `next()`, as the body of an async generator only begins to run then. One
 * that is never read costs nothing there.
 */
export class RemoteStream implements AsyncGenerator<unknown, unknown, void> {
  readonly #call: () => Promise<unknown>;
  #reader: Promise<Reader> | undefined;
  #over = false;

  constructor(call: () => Promise<unknown>) {
    this.#call = call;
  }

  async next(): Promise<Step> {
    if (this.#over) return { done: true, value: undefined };
    this.#reader ??= this.#open();
    const reader = await this.#reader;
    return reader.next();
  }

  async return(value?: unknown): Promise<Step> {
    await this.#end();
    return { done: true, value };
  }

  async throw(error: unknown): Promise<Step> {
    await this.#end();
    // Whatever it is, it goes back to who gave it.
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
      if (isReader(result)) return result;
      throw new TypeError(
        'the function returned no stream, so there is nothing to iterate; await its result',
      );
    } catch (error) {
      // A generator that has thrown is over.
      this.#over = true;
      throw error;
    }
  }

  async #end(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    try {
      await (await this.#reader)?.return(undefined);
    } catch {
      // It never began, or was lost; both are its end.
    }
  }
}

/** Whether the result of a call is a stream. */
export function isReader(result: unknown): result is Reader {
  return isStream(result);
}

/** The streams of promises that were iterated. */
const streams = new WeakMap<Promise<unknown>, RemoteStream>();

function streamOf(promise: Promise<unknown>): RemoteStream {
  let stream = streams.get(promise);
  if (!stream) {
    stream = new RemoteStream(() => promise);
    streams.set(promise, stream);
    // Whoever iterates learns of a failure there.
    promise.catch(() => {});
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
 * Lets the promise of a result be iterated, too: of a function that is only known by its tag, or returns what it
 * likes, nobody can tell before the answer whether that is a value or a stream.
 */
export function asStream(promise: Promise<unknown>): Promise<unknown> {
  return Object.defineProperties(promise, METHODS);
}
