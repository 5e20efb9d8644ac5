/**
 * The `meta` field of a frame describes the values that JSON cannot represent. `values` has the format of superjson, so that
 * other implementations of superjson can read and write our frames. Our implementation is in `rich.ts` and `revive.ts`.
 */

/** Kind of a value; `['custom', kind]` for bytes. */
export type Type = string | [string, string];

/** The type of a value and, for a container that JSON cannot represent, the annotations within it. */
export type Annotation = [type: Type] | [type: Type, within: Annotations];

/** Annotations by path. A path leads from the frame, or from the container, to the value: `args.0.when`. */
export interface Annotations {
  [path: string]: Annotation;
}

export interface Meta {
  values: Annotations;
  /** How many binary messages belong to this frame. Absent: none. */
  binary?: number;
  /** The version of superjson's format. */
  v: 1;
}

/** Fields of frames that contain values of users. Annotations must not lead anywhere else. */
export const VALUE_FIELDS: ReadonlySet<string> = new Set(['args', 'kwargs', 'value', 'thrown', 'error']);

/** How deep sets, maps and errors may be nested. Each takes two levels in `meta`, and a frame may have 320 levels. */
export const DEEPEST_META = 128;

/** Digits of a bigint. The time to parse one grows with the square of its length: 0.7 ms for this many digits. */
export const LONGEST_BIGINT = 16_384;

/** Characters of a URL. */
export const LONGEST_URL = 1_048_576;

/** Characters of all regular expressions of a frame together, as `work.ts` counts them. */
export const LONGEST_PATTERNS = 16_384;

/** @param from index in `keys` at which the path begins */
export function joinPath(keys: readonly (string | number)[], from: number): string {
  let path = '';
  for (let index = from; index < keys.length; index += 1) {
    const key = keys[index]!;
    path += index === from ? '' : '.';
    path += typeof key === 'string' && SPECIAL.test(key) ? key.replaceAll(/[.\\]/g, '\\$&') : key;
  }
  return path;
}

const SPECIAL = /[.\\]/;

/** The keys of a path; undefined if the text is not a path. */
export function splitPath(path: string): string[] | undefined {
  // Escapes are rare.
  if (!path.includes('\\')) return path.split('.');
  const keys: string[] = [];
  let key = '';
  for (let at = 0; at < path.length; at += 1) {
    const character = path[at]!;
    if (character === '.') {
      keys.push(key);
      key = '';
    } else if (character === '\\') {
      at += 1;
      const escaped = path[at];
      if (escaped !== '\\' && escaped !== '.') return undefined;
      key += escaped;
    } else {
      key += character;
    }
  }
  return [...keys, key];
}

/** Sets a property. A plain assignment to the key `__proto__` would change the prototype. */
export function put(object: object, key: string | number, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    (object as Record<string, unknown>)[key] = value;
  }
}

/** An encoded value. */
export interface Rich {
  /** Written instead of the value. It consists only of plain objects, arrays and primitives that this library made. */
  json: unknown;
  /** The frame's field `meta`, as text: an object with thousands of paths would cost more than all the rest. */
  meta: string | undefined;
  /** Views over the user's memory. */
  binaries: Uint8Array[];
}

export interface RichOptions {
  /** The field of the frame that contains the value: `args`, `value`, … */
  field: string;
  /** The name of the value in error messages. */
  name: string;
  /** Whether errors within the value are sent with their stack. */
  stacks: boolean;
  /** How deep arrays and objects may be nested. */
  deepest?: number;
  /** Limit for characters and bytes together. */
  most: number;
}
