import { TooLarge } from '../too-large.ts';

/**
 * Which values JSON carries unharmed. `JSON.stringify` drops or bends what it cannot say (a Date becomes a
 * string, NaN becomes null, undefined vanishes); `rich.ts` takes care of such values.
 */

/** Arrays and objects within each other. Also where a cycle is noticed. */
export const DEEPEST = 256;

/** The same of a whole frame: what is around a value, such as a chain of causes, takes some levels itself. */
export const DEEPEST_FRAME = DEEPEST + 64;

/** Keys up to which an object is copied in one go, as the engine does it for objects of one shape. */
const MOST_KEYS = 128;

const NOT_PLAIN = Symbol('not plain');

/** Characters that the text may still have. What is sent may hold getters that send something themselves. */
let left = 0;

/**
 * The JSON of `value`, when JSON can say it exactly; undefined when it cannot, or cannot even be read.
 *
 * Written is a copy, for which everything was read once: `JSON.stringify` would run getters and proxies a second time, ask for
 * a `toJSON`, and write what nobody has looked at. Written for speed: it runs on every argument and result that is an object.
 *
 * @param most characters; what is certainly longer is not written at all
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
 * The JSON of what holds nothing but plain objects, arrays and primitives.
 * @throws TooLarge when it is longer than a string can be
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

/** Each value costs a character at least, which the container around it pays. */
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
    // Numbers have a way of their own: there may be a million of them.
    if (typeof item !== 'number' || !isPlainNumber(item)) {
      // A hole reads as undefined, and so is refused too.
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
    // `Object.prototype` may have been given keys that can be enumerated; they are not of this object.
    if (item !== given && Object.hasOwn(copy, key)) copy[key] = item;
  }
  pay(paid);
  return copy;
}

/** An object with many keys is made in half the time without a prototype. */
function hasFewKeys(record: object): boolean {
  let count = 0;
  for (const _ in record) if ((count += 1) > MOST_KEYS) return false;
  return true;
}

function pay(characters: number): void {
  left -= characters;
  if (left < 0) throw new TooLarge('it is larger than may be sent');
}

/**
 * Whether this is the prototype of plain objects, or of arrays, in another realm: what Node's own modules make is
 * of another realm to code that runs in a `vm` context, as in some test runners.
 */
export function isForeign(prototype: unknown, name: 'Array' | 'Object'): boolean {
  if (typeof prototype !== 'object' || prototype === null) return false;
  const method = name === 'Array' ? 'copyWithin' : 'isPrototypeOf';
  const { constructor } = prototype as { constructor?: unknown };
  return Object.hasOwn(prototype, method) && typeof constructor === 'function' && constructor.name === name;
}
