/**
 * The `meta` field of a frame: which of its values JSON could not say, and what they are. The format of `values`
 * is superjson's, so that other implementations of it read and write our frames; ours is in `rich.ts` and
 * `revive.ts`.
 */

/** Kind of a value; `['custom', kind]` for bytes. */
export type Type = string | [string, string];

/** What a value is, and what is within it, where that is a container that JSON cannot say. */
export type Annotation = [type: Type] | [type: Type, within: Annotations];

/** By path, which leads from the frame, or from the container, to the value: `args.0.when`. */
export interface Annotations {
  [path: string]: Annotation;
}

export interface Meta {
  values: Annotations;
  /** How many binary messages this frame takes. Absent: none. */
  binary?: number;
  /** Of superjson's format. */
  v: 1;
}

/** Fields of frames that hold values of users. No annotation may lead anywhere else. */
export const VALUE_FIELDS: ReadonlySet<string> = new Set(['args', 'kwargs', 'value', 'thrown', 'error']);

/** Sets, maps and errors within each other. Each takes two levels in `meta`, which is part of a frame of 320 levels. */
export const DEEPEST_META = 128;

/** Digits of a bigint. Reading one takes the square of it: 0.7 ms for this. */
export const LONGEST_BIGINT = 16_384;

/** Characters of a URL. */
export const LONGEST_URL = 1_048_576;

/** Characters of all regular expressions of a frame together, as `work.ts` counts them. */
export const LONGEST_PATTERNS = 16_384;

/** @param from where in `keys` the path begins */
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

/** Undefined when it is no path. */
export function splitPath(path: string): string[] | undefined {
  // Rarely is anything escaped.
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

/** Assigning to the key `__proto__` would change the prototype. */
export function put(object: object, key: string | number, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    (object as Record<string, unknown>)[key] = value;
  }
}

/** A value as it is written. */
export interface Rich {
  /** To be written in place of the value: nothing but plain objects, arrays and primitives of our own. */
  json: unknown;
  /** The frame's field `meta`, as text: an object of thousands of paths would cost more than all the rest. */
  meta: string | undefined;
  /** Views onto the user's own memory. */
  binaries: Uint8Array[];
}

export interface RichOptions {
  /** Where in its frame the value is: `args`, `value`, … */
  field: string;
  /** What the value is called in messages. */
  name: string;
  /** Whether errors within the value are sent with their stack. */
  stacks: boolean;
  /** How deep arrays and objects may be within each other. */
  deepest?: number;
  /** Characters and bytes, all together. */
  most: number;
}
