import { TooLarge } from '../too-large.ts';

/**
 * Finds out whether JSON can represent a value exactly, and writes it. `JSON.stringify` silently drops or changes other values: a
 * Date becomes a string, NaN becomes null, undefined vanishes. `rich.ts` handles those.
 */

/** How deep arrays and objects may be nested. A cycle is noticed at this depth, too. */
export const DEEPEST = 256;

/** The same for a whole frame. The levels around a value, such as a chain of causes, need some room. */
export const DEEPEST_FRAME = DEEPEST + 64;

/** An object with at most this many keys is copied with a spread, which is fast for objects of one shape. */
const MOST_KEYS = 128;

const NOT_PLAIN = Symbol('not plain');

/**
 * Characters that the text may still have. It is saved and restored, because getters in a value may send something themselves.
 */
let left = 0;

/**
 * The JSON of `value` if JSON can represent it exactly; undefined if it cannot, or if the value cannot be read.
 *
 * It copies the value first, reads everything once, and writes the copy. `JSON.stringify` on the value itself would run getters
 * and proxies a second time, call `toJSON`, and write values that were not checked. The code is written for speed: it runs for
 * every argument and result that is an object.
 *
 * @param most characters; a text that is certainly longer is not written at all
 * @throws TooLarge
 */
export function plainText(value: unknown, most = Infinity): string | undefined {
  const outer = left;
  left = most;
  let copy: unknown;
  try {
    copy = copyOf(value, 0);
  } catch (error) {
    if (TooLarge.is(error)) throw error;
    return undefined;
  } finally {
    left = outer;
  }
  return copy === NOT_PLAIN ? undefined : textOf(copy);
}

/**
 * The JSON of a value that consists only of plain objects, arrays and primitives.
 * @throws TooLarge if it is longer than a string can be
 */
export function textOf(plain: unknown): string {
  try {
    return JSON.stringify(plain);
  } catch (cause) {
    throw new TooLarge('it is longer than a string can be', { cause });
  }
}

/** JSON has no NaN, no infinity, and no minus zero. */
export function isPlainNumber(value: number): boolean {
  return value === 0 ? 1 / value > 0 : value - value === 0;
}

/** Each value costs at least one character, which its container pays. */
function copyOf(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      pay(value.length + 1);
      return value;
    case 'boolean':
      return value;
    case 'number':
      return isPlainNumber(value) ? value : NOT_PLAIN;
    case 'object':
      break;
    default:
      return NOT_PLAIN;
  }
  if (value === null) return value;
  if (depth >= DEEPEST) return NOT_PLAIN;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype && !isForeign(prototype, 'Array')) return NOT_PLAIN;
    return copyOfList(value, depth + 1);
  }
  if (prototype !== Object.prototype && prototype !== null && !isForeign(prototype, 'Object'))
    return NOT_PLAIN;
  return copyOfRecord(value as Record<string, unknown>, depth + 1);
}

function copyOfList(list: readonly unknown[], depth: number): unknown {
  const { length } = list;
  pay(2 * length);
  const copy: unknown[] = [];
  for (let index = 0; index < length; index += 1) {
    let item = list[index];
    // Fast path for numbers: there may be a million of them.
    if (typeof item !== 'number' || !isPlainNumber(item)) {
      // A hole reads as undefined, so it is refused too.
      item = copyOf(item, depth);
      if (item === NOT_PLAIN) return NOT_PLAIN;
    }
    copy.push(item);
  }
  return copy;
}

function copyOfRecord(record: Record<string, unknown>, depth: number): unknown {
  const copy = hasFewKeys(record)
    ? { ...record }
    : (Object.assign(Object.create(null) as object, record) as Record<string, unknown>);
  let paid = 0;
  for (const key in copy) {
    paid += key.length + 5;
    const given = copy[key];
    if (typeof given === 'number' ? isPlainNumber(given) : typeof given === 'boolean') continue;
    const item = copyOf(given, depth);
    if (item === NOT_PLAIN) return NOT_PLAIN;
    // Somebody may have added enumerable keys to `Object.prototype`. They do not belong to this object.
    if (item !== given && Object.hasOwn(copy, key)) copy[key] = item;
  }
  pay(paid);
  return copy;
}

/** An object with many keys is created in half the time if it has no prototype. */
function hasFewKeys(record: object): boolean {
  let count = 0;
  for (const _ in record) if ((count += 1) > MOST_KEYS) return false;
  return true;
}

function pay(characters: number): void {
  left -= characters;
  if (left < 0) throw new TooLarge('it is larger than the receiver accepts');
}

/**
 * Whether this is the prototype of plain objects, or of arrays, in another realm. Objects of Node's own modules belong to another
 * realm for code that runs in a `vm` context, as in some test runners.
 */
export function isForeign(prototype: unknown, name: 'Array' | 'Object'): boolean {
  if (typeof prototype !== 'object' || prototype === null) return false;
  const method = name === 'Array' ? 'copyWithin' : 'isPrototypeOf';
  const { constructor } = prototype as { constructor?: unknown };
  return Object.hasOwn(prototype, method) && typeof constructor === 'function' && constructor.name === name;
}
