/**
 * How a value is handled: a promise is awaited, a stream is read, anything else is carried as a value.
 *
 * Only this file decides it, for arguments, results, and what hooks and listeners return. The check for a promise comes before
 * the check for a stream, because some objects are both: the promise of a call (`remote-stream.ts`), and the queries of some
 * databases.
 */
export type ValueShape = 'promise' | 'stream' | 'value';

/** Never throws. Reading a property runs user code, which may throw; such a value is left to the encoder. */
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

/** True also for `ReadableStream` and for Node's streams. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return shapeOf(value) === 'stream';
}

const { then } = Promise.prototype as { then: (this: unknown, ...callbacks: unknown[]) => unknown };

/**
 * Calls back once when a promise settles, as `await` would. A promise may have its own `then` or `constructor`. If that throws,
 * `rejected` is called; if it calls back twice, the second time is ignored.
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
