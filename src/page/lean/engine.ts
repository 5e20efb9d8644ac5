/** What a page asks of its engine. Takes the place of `wire/engine.ts` in a page. */

export function isNativeError(value: unknown): value is Error {
  try {
    return Object.prototype.toString.call(value) === '[object Error]';
  } catch {
    return false;
  }
}

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
