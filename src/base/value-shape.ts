/**
 * What a value is to the one who gets it: a promise to wait for, a stream to read, or a value to carry.
 *
 * The one place that decides, for arguments, results and what hooks and listeners return. A promise comes before a stream:
 * the promise of a call can be iterated as well as awaited (`remote-stream.ts`), as can the queries of some databases.
 */
export type ValueShape = 'promise' | 'stream' | 'value';

/** Never throws. Reading a property runs code of the user's, which may: such a value is left to the encoder. */
export function shapeOf(value: unknown): ValueShape {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return 'value';
  try {
    if (typeof (value as { then?: unknown }).then === 'function') return 'promise';
    const iterate = (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator];
    return typeof value === 'object' && typeof iterate === 'function' ? 'stream' : 'value';
  } catch {
    return 'value';
  }
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return shapeOf(value) === 'promise';
}

/** Also what `ReadableStream` and Node's streams are. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return shapeOf(value) === 'stream';
}

const { then } = Promise.prototype as { then: (this: unknown, ...callbacks: unknown[]) => unknown };

/**
 * Calls back once with what becomes of a promise, as `await` would. A promise may have a `then` or a `constructor` of its own
 * that throws, or calls back twice; that ends in `rejected`, or is not looked at.
 */
export function whenSettled(
  value: unknown,
  fulfilled: (value: unknown) => void,
  rejected: (error: unknown) => void,
): void {
  try {
    then.call(Promise.resolve(value), fulfilled, rejected);
  } catch (error) {
    rejected(error);
  }
}
