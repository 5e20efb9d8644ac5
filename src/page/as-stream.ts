import { isStream } from '../base/value-shape.ts';

type Step = IteratorResult<unknown, unknown>;
type Reader = AsyncGenerator<unknown, unknown, void>;

/** The stream that a promise may turn out to be: only the answer tells whether a function returns a value or a stream. */
class Awaited implements AsyncIterator<unknown, unknown, void> {
  readonly #promise: Promise<unknown>;
  #reader: Reader | undefined;
  #over = false;

  constructor(promise: Promise<unknown>) {
    this.#promise = promise;
  }

  async next(): Promise<Step> {
    if (this.#over) return { done: true, value: undefined };
    if (!this.#reader) {
      const result = await this.#promise;
      if (!isStream(result)) {
        throw new TypeError('this result is no stream: await it, instead of iterating');
      }
      this.#reader = result as Reader;
    }
    return this.#reader.next();
  }

  /** A stream that is not open yet is left when it opens. Waiting for that could mean waiting for a silent server. */
  async return(value?: unknown): Promise<Step> {
    this.#over = true;
    if (this.#reader) await this.#reader.return(undefined);
    else
      this.#promise
        .then((result) => (isStream(result) ? (result as Reader).return(undefined) : undefined))
        .catch(() => {});
    return { done: true, value };
  }

  async throw(error: unknown): Promise<Step> {
    await this.return();
    // It may be any value, and goes back to the code that gave it.
    // oxlint-disable-next-line only-throw-error
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const opened = new WeakMap<Promise<unknown>, Awaited>();

function streamOf(promise: Promise<unknown>): Awaited {
  const stream = opened.get(promise) ?? new Awaited(promise);
  opened.set(promise, stream);
  return stream;
}

const METHODS: PropertyDescriptorMap = {};
for (const name of ['next', 'return', 'throw', Symbol.asyncIterator] as const) {
  METHODS[name as 'next'] = {
    value(this: Promise<unknown>, given: unknown) {
      return streamOf(this)[name as 'throw'](given);
    },
  };
}

/** Makes the promise of a result iterable, too. */
export function asStream(promise: Promise<unknown>): Promise<unknown> {
  return Object.defineProperties(promise, METHODS);
}
