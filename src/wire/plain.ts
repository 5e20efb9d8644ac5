/**
 * Which values JSON carries unharmed. `JSON.stringify` drops or bends what it cannot say (a Date becomes a
 * string, NaN becomes null, undefined vanishes); here such a value is refused, and its place named, instead.
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
function isForeign(prototype: unknown, name: 'Array' | 'Object'): boolean {
  if (typeof prototype !== 'object' || prototype === null) return false;
  const method = name === 'Array' ? 'copyWithin' : 'isPrototypeOf';
  const { constructor } = prototype as { constructor?: unknown };
  return Object.hasOwn(prototype, method) && typeof constructor === 'function' && constructor.name === name;
}

/** Where and why a value cannot be carried: `args[0].user.save: a function`. */
export interface Unplain {
  path: string;
  what: string;
}

/** The first place in `value` that JSON cannot say; undefined when there is none. Slow; for messages. */
export function findUnplain(
  value: unknown,
  path: string,
  above: readonly object[] = [],
): Unplain | undefined {
  if (typeof value !== 'object' || value === null) {
    return isPlain(value) ? undefined : { path, what: describePrimitive(value) };
  }
  if (above.includes(value)) return { path, what: 'a reference back to a value that contains it' };
  if (above.length >= DEEPEST) return { path, what: `nested deeper than ${DEEPEST}` };
  const inside = [...above, value];
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype && !isForeign(prototype, 'Array')) {
      return { path, what: describeInstance(value) };
    }
    for (let index = 0; index < value.length; index += 1) {
      if (!Object.hasOwn(value, index)) return { path: `${path}[${index}]`, what: 'a hole in an array' };
      const found = findUnplain(value[index], `${path}[${index}]`, inside);
      if (found) return found;
    }
    return undefined;
  }
  if (prototype !== Object.prototype && prototype !== null && !isForeign(prototype, 'Object')) {
    return { path, what: describeInstance(value) };
  }
  for (const key of Object.keys(value)) {
    const found = findUnplain((value as Record<string, unknown>)[key], `${path}${property(key)}`, inside);
    if (found) return found;
  }
  return undefined;
}

function property(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function describePrimitive(value: unknown): string {
  if (typeof value === 'function') return `a function${value.name ? ` (${value.name})` : ''}`;
  if (typeof value === 'symbol' || typeof value === 'bigint') return `a ${typeof value}`;
  return Object.is(value, -0) ? '-0' : String(value);
}

function describeInstance(value: object): string {
  const { constructor } = value as { constructor?: unknown };
  const name = typeof constructor === 'function' && constructor.name ? constructor.name : 'a class';
  return `an instance of ${name}`;
}
