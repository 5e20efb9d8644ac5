import { viewOf } from '../binary.ts';
import { collide } from '../collisions.ts';
import { assembleError, define } from './error-classes.ts';
import type { ErrorParts } from './error-classes.ts';
import { isErrorBasics } from '../guards.ts';
import { isFields } from '../shapes.ts';
import { stackOf } from './failure.ts';
import { LONGEST_BIGINT, LONGEST_PATTERNS, VALUE_FIELDS, put, splitPath } from './meta.ts';
import type { Annotations } from './meta.ts';
import { isUrlText, patternCost } from '../work.ts';

/**
 * Rebuilds values from JSON, annotations and bytes. All three come from the other side and none is trusted. A path is followed
 * only along own keys of objects that JSON created, every type accepts one form of JSON only, and the work is in proportion to
 * the length of the text.
 */

/** A frame has a value that cannot be created here. Only its call fails. */
export class Unreadable extends Error {}

/** Puts the values in their places. @throws Unreadable */
export function reviveFrame(
  frame: Record<string, unknown>,
  values: Annotations,
  binaries: readonly Uint8Array[],
): void {
  const reviver = new Reviver(binaries);
  for (const path of Object.keys(values)) {
    const keys = splitPath(path);
    // Annotations must not replace fields of the frame itself; only `value` as a whole is a value of the user.
    if (!keys || !VALUE_FIELDS.has(keys[0]!) || (keys.length === 1 && path !== 'value')) {
      throw new Unreadable('its meta does not point to a value');
    }
    reviver.revive(frame, keys, values[path]);
  }
}

class Reviver {
  /** Each is used once, so that bytes cannot be multiplied. */
  readonly #binaries: (Uint8Array | undefined)[];
  #patterns = 0;

  constructor(binaries: readonly Uint8Array[]) {
    this.#binaries = [...binaries];
  }

  revive(root: object, keys: readonly string[], annotation: unknown): void {
    let parent = root;
    for (let index = 0; index < keys.length - 1; index += 1) parent = containerAt(parent, keys[index]!);
    const last = keys[keys.length - 1]!;
    if (!Array.isArray(annotation) || !isKey(parent, last)) {
      throw new Unreadable('its meta does not point to a value');
    }
    const json = (parent as Record<string, unknown>)[last];
    const [type, within] = annotation as unknown[];
    if (within !== undefined) this.#reviveWithin(json, within);
    put(parent, last, this.#make(type, json));
  }

  /** Revives the contents of a container before the container itself, while it is still plain JSON. */
  #reviveWithin(json: unknown, within: unknown): void {
    if (typeof json !== 'object' || json === null || !isFields(within)) {
      throw new Unreadable('its meta does not point to a value');
    }
    for (const path of Object.keys(within)) {
      const keys = splitPath(path);
      if (!keys) throw new Unreadable('its meta does not point to a value');
      this.revive(json, keys, within[path]);
    }
  }

  #make(type: unknown, json: unknown): unknown {
    if (Array.isArray(type)) return this.#makeBytes(type, json);
    switch (type) {
      case 'undefined':
        return undefined;
      case 'number':
        if (typeof json === 'string' && NUMBERS.has(json)) return NUMBERS.get(json);
        break;
      case 'bigint':
        if (isText(json, LONGEST_BIGINT) && /^-?\d+$/.test(json)) return BigInt(json);
        break;
      case 'Date':
        if (isText(json, LONGEST_DATE)) return new Date(json);
        break;
      case 'regexp':
        return this.#makePattern(json);
      case 'URL':
        if (typeof json === 'string' && isUrlText(json)) return makeUrl(json);
        break;
      case 'set':
        if (Array.isArray(json) && !collide(json)) return new Set(json);
        break;
      case 'map':
        if (Array.isArray(json) && json.every(isPair) && !collide(json, keyOf)) return new Map(json);
        break;
      case 'Error':
        return makeError(json);
    }
    throw new Unreadable(`it has a ${kindOf(type)} that this peer cannot create`);
  }

  #makePattern(json: unknown): RegExp {
    const [, source, flags] = (isText(json, 2 * LONGEST_PATTERNS) && /^\/(.*)\/([a-z]*)$/su.exec(json)) || [];
    this.#patterns += source === undefined ? Infinity : patternCost(source, flags!);
    try {
      if (this.#patterns <= LONGEST_PATTERNS) return new RegExp(source!, flags);
    } catch {
      // Not every engine supports every syntax.
    }
    throw new Unreadable('it has a regular expression that this peer cannot create');
  }

  #makeBytes([custom, kind]: unknown[], index: unknown): ArrayBuffer | ArrayBufferView {
    const bytes = custom === 'custom' && typeof index === 'number' ? this.#binaries[index] : undefined;
    const view = bytes && typeof kind === 'string' ? viewOf(kind, bytes) : undefined;
    if (!view) throw new Unreadable(`it has a ${kindOf(kind)} that this peer cannot create`);
    this.#binaries[index as number] = undefined;
    return view;
  }
}

const NUMBERS = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
]);

/** `+275760-09-13T00:00:00.000Z` is the longest that this library writes. */
const LONGEST_DATE = 64;

function containerAt(parent: object, key: string): object {
  const value = isKey(parent, key) ? (parent as Record<string, unknown>)[key] : undefined;
  if (typeof value !== 'object' || value === null) throw new Unreadable('its meta does not point to a value');
  return value;
}

/** Whether it is a key of a plain object or array from JSON. A value that was already revived has no keys. */
function isKey(parent: object, key: string): boolean {
  if (!Object.hasOwn(parent, key)) return false;
  return Array.isArray(parent) ? key !== 'length' : Object.getPrototypeOf(parent) === Object.prototype;
}

function isText(json: unknown, longest: number): json is string {
  return typeof json === 'string' && json.length <= longest;
}

function makeUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new Unreadable('it has a URL that this peer cannot create');
  }
}

function keyOf(pair: unknown): unknown {
  return (pair as [unknown, unknown])[0];
}

function isPair(json: unknown): json is [unknown, unknown] {
  return Array.isArray(json) && json.length === 2;
}

function makeError(json: unknown): Error {
  if (!isFields(json) || !isErrorBasics(json)) throw new Unreadable('it has a malformed error');
  const { name, message, classes, code, properties, errors } = json;
  const parts: ErrorParts = { name, message, code };
  if (classes) parts.classes = classes;
  if (isFields(properties)) parts.properties = properties;
  if (Object.hasOwn(json, 'cause')) parts.cause = json['cause'];
  if (Array.isArray(errors)) parts.errors = errors;
  const error = assembleError(parts);
  define(error, 'stack', stackOf(json));
  return error;
}

/** The type, for a message. Text from a stranger is repeated only if it is a name. */
function kindOf(type: unknown): string {
  return typeof type === 'string' && /^\w{1,32}$/.test(type) ? type : 'value';
}
