/**
 * Which values JSON carries unharmed. `JSON.stringify` drops or bends what it cannot say (a Date becomes a
 * string, NaN becomes null, undefined vanishes); `rich.ts` takes care of such values.
 */

/** Arrays and objects within each other. Also where a cycle is noticed. */
export const DEEPEST = 256;

/** The same of a whole frame: what is around a value, such as a chain of causes, takes some levels itself. */
export const DEEPEST_FRAME = DEEPEST + 64;

/**
 * Whether JSON can say `value` exactly. Written for speed: it runs on every argument and result, and costs a
 * fraction of the `JSON.stringify` that follows it.
 */
export function isPlain(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return value === 0 ? 1 / value > 0 : value - value === 0;
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth >= DEEPEST) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype && !isForeign(prototype, 'Array')) return false;
    for (let index = 0; index < value.length; index += 1) {
      // A hole reads as undefined, and so is refused too.
      if (!isPlain(value[index], depth + 1)) return false;
    }
    return true;
  }
  if (prototype !== Object.prototype && prototype !== null && !isForeign(prototype, 'Object')) return false;
  for (const key of Object.keys(value)) {
    if (!isPlain((value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
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
