import { isDeepStrictEqual } from 'node:util';

/** Whether two options mean the same. Objects of a class have an identity, so they are alike only if they are one object. */
export function alike(a: unknown, b: unknown): boolean {
  return isPlain(a) && isPlain(b) ? isDeepStrictEqual(a, b) : Object.is(a, b);
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}
