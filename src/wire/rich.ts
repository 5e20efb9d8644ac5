import { types } from 'node:util';

import { MOST_BINARIES, binaryKind, bytesOf } from './binary.ts';
import { basicsOf, isError, propertiesOf } from './error-classes.ts';
import { DEEPEST_META, LONGEST_BIGINT, LONGEST_PATTERNS, LONGEST_URL, put } from './meta.ts';
import type { Type } from './meta.ts';
import { NotSerializable } from './not-serializable.ts';
import { DEEPEST, isForeign, isPlain } from './plain.ts';
import { Trail } from './trail.ts';
import { isPromise } from '../value-shape.ts';
import { isUrlText, patternCost } from './work.ts';

/**
 * Values that JSON alone cannot say, to JSON, annotations and bytes. What nothing can carry is refused here, with
 * its place: nothing is ever left out or bent silently.
 */

export interface Rich {
  /** To be written in place of the value. */
  json: unknown;
  /** The frame's field `meta`, as text: an object of thousands of paths would cost more than all the rest. */
  meta: string;
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
}

/** @throws NotSerializable naming the first place that nothing can carry */
export function encodeRich(value: unknown, options: RichOptions): Rich {
  return new Encoder(options).run(value);
}

/** Whether the value can be carried, in whatever way. */
export function isCarried(value: unknown): boolean {
  return whyNotCarried(value, '') === undefined;
}

/** Says which part of the value cannot be carried, in words; undefined when all of it can. */
export function whyNotCarried(value: unknown, name: string): string | undefined {
  try {
    if (!isPlain(value)) encodeRich(value, { field: 'value', name, stacks: false });
    return undefined;
  } catch (error) {
    return error instanceof NotSerializable ? error.message : `${name} cannot be read`;
  }
}

/** What a value is, of which reading or writing fails. */
export const UNREADABLE = 'a value that cannot be read';

/** Stand for the arrays and objects that are in the JSON of a map or an error, but not in the value. */
const PAIR = Object.freeze([]);
const ERRORS = Object.freeze([]);
const PROPERTIES = Object.freeze({});

class Encoder {
  readonly #stacks: boolean;
  readonly #deepest: number;
  readonly #trail: Trail;
  readonly #binaries: Uint8Array[] = [];
  /** Those of the frame, or of the set, map or error that is the innermost around the value in hand … */
  #annotations = '';
  /** … and how deep that is. */
  #base: number | undefined;
  #nested = 0;
  #patterns = 0;

  constructor({ field, name, stacks, deepest = DEEPEST }: RichOptions) {
    this.#stacks = stacks;
    this.#deepest = deepest;
    this.#trail = new Trail(field, name);
  }

  run(value: unknown): Rich {
    const json = this.#read(value);
    const count = this.#binaries.length;
    const meta = `{"values":{${this.#annotations}},"v":1${count > 0 ? `,"binary":${count}` : ''}}`;
    return { json, meta, binaries: this.#binaries };
  }

  #read(value: unknown): unknown {
    try {
      return this.#encode(value);
    } catch (cause) {
      if (cause instanceof NotSerializable) throw cause;
      // A getter that throws, or a proxy.
      throw new NotSerializable(String(this.#trail), UNREADABLE, { cause });
    }
  }

  #encode(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        if (isPlain(value)) return value;
        return this.#annotate('number', Object.is(value, -0) ? '-0' : String(value));
      case 'bigint':
        return this.#annotate('bigint', this.#short(String(value), LONGEST_BIGINT, 'a bigint'));
      case 'undefined':
        return this.#annotate('undefined', null);
      case 'object':
        return value === null ? null : this.#object(value);
      case 'function':
        return this.#refuse(`a function${value.name ? ` (${value.name})` : ''}`);
      default:
        return this.#refuse('a symbol');
    }
  }

  #object(value: object): unknown {
    if (this.#trail.has(value)) return this.#refuse('a reference back to a value that contains it');
    const prototype: unknown = Object.getPrototypeOf(value);
    if (Array.isArray(value)) {
      if (prototype !== Array.prototype && !isForeign(prototype, 'Array')) return this.#refuseInstance(value);
      return this.#list(value, value);
    }
    if (prototype === Object.prototype || prototype === null || isForeign(prototype, 'Object')) {
      return this.#record(value);
    }
    if (isError(value)) return this.#within('Error', () => this.#error(value));
    const kind = binaryKind(value);
    if (kind !== undefined) return this.#binary(kind, value as ArrayBuffer | ArrayBufferView);
    return this.#builtIn(value) ?? this.#refuseInstance(value);
  }

  /** Undefined when it is none, or of a class derived from one: the other side would not have that class. */
  #builtIn(value: object): unknown {
    const { name } = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } }).constructor ?? {};
    // A class of the user's that has such a name must not pass, so both are looked at: what it is and what it says.
    if (name === 'Date' && types.isDate(value)) {
      this.#refuseProperties(value, name);
      return this.#annotate('Date', Number.isNaN(+value) ? 'Invalid Date' : value.toISOString());
    }
    if (name === 'Set' && types.isSet(value)) {
      this.#refuseProperties(value, name);
      return this.#within('set', () => this.#list(value, [...value]));
    }
    if (name === 'Map' && types.isMap(value)) {
      this.#refuseProperties(value, name);
      return this.#within('map', () => this.#map(value));
    }
    if (name === 'RegExp' && types.isRegExp(value)) {
      this.#refuseProperties(value, name);
      this.#patterns += patternCost(value.source, value.flags);
      if (this.#patterns === Infinity && value.source.length <= LONGEST_PATTERNS) {
        return this.#refuse('a regular expression that takes long to read (\\p{…} with the flag v)');
      }
      if (this.#patterns > LONGEST_PATTERNS) {
        return this.#refuse(
          `a regular expression beyond the ${LONGEST_PATTERNS} characters a frame may have`,
        );
      }
      return this.#annotate('regexp', `/${value.source}/${value.flags}`);
    }
    if (name === 'URL' && value instanceof URL) {
      const text = this.#short(value.href, LONGEST_URL, 'a URL');
      return isUrlText(text) ? this.#annotate('URL', text) : this.#refuse('a URL with so long a host');
    }
    return undefined;
  }

  /** Of an array that has nothing rich in it, the array itself. */
  #list(container: object, items: unknown[]): unknown[] {
    let copy: unknown[] | undefined;
    this.#enter(container);
    for (let index = 0; index < items.length; index += 1) {
      const item = items[index];
      this.#trail.at(index);
      if (item === undefined && !Object.hasOwn(items, index)) this.#refuse('a hole in an array');
      const json = this.#encode(item);
      if (json !== item) (copy ??= items.slice())[index] = json;
    }
    this.#trail.leave();
    return copy ?? items;
  }

  /** Of an object that has nothing rich in it, the object itself. */
  #record(record: object): object {
    let copy: object | undefined;
    this.#enter(record);
    for (const key of Object.keys(record)) {
      this.#trail.at(key);
      const item = (record as Record<string, unknown>)[key];
      const json = this.#encode(item);
      if (json !== item) put((copy ??= { ...record }), key, json);
    }
    this.#trail.leave();
    return copy ?? record;
  }

  #map(map: Map<unknown, unknown>): unknown[] {
    const pairs: unknown[] = [];
    this.#enter(map);
    for (const pair of map) {
      this.#trail.at(pairs.length);
      pairs.push(this.#list(PAIR, pair));
    }
    this.#trail.leave();
    return pairs;
  }

  /** Like an error that was thrown: what cannot be carried of its properties is left out. */
  #error(error: Error): object {
    const json: Record<string, unknown> = { ...basicsOf(error, this.#stacks) };
    const { code, errors } = error as { code?: unknown; errors?: unknown };
    const parts: [string, unknown][] = [];
    if (code !== undefined) parts.push(['code', code]);
    if (Object.hasOwn(error, 'cause')) parts.push(['cause', error.cause]);
    this.#enter(error);
    this.#addParts(json, parts);
    if (error instanceof AggregateError && Array.isArray(errors)) {
      this.#trail.at('errors');
      this.#enter(ERRORS);
      json['errors'] = this.#addParts([], (errors as unknown[]).entries());
      this.#trail.leave();
    }
    this.#trail.at('properties');
    this.#enter(PROPERTIES);
    const properties = this.#addParts({}, propertiesOf(error));
    if (Object.keys(properties).length > 0) json['properties'] = properties;
    this.#trail.leave();
    this.#trail.leave();
    return json;
  }

  /** Puts into `json` what can be carried: under its key, or, in an array, under the next index. */
  #addParts(json: object, parts: Iterable<[key: string | number, value: unknown]>): object {
    for (const [key, value] of parts) {
      const place = Array.isArray(json) ? json.length : key;
      this.#trail.at(place);
      const part = this.#attempt(value);
      if (part) put(json, place, part.json);
    }
    return json;
  }

  /** Undefined for a value that cannot be carried; nothing of it stays then. */
  #attempt(value: unknown): { json: unknown } | undefined {
    const annotations = this.#annotations;
    const { depth } = this.#trail;
    const [base, nested, patterns, binaries] = [
      this.#base,
      this.#nested,
      this.#patterns,
      this.#binaries.length,
    ];
    try {
      return { json: this.#encode(value) };
    } catch {
      this.#trail.leaveTo(depth);
      this.#annotations = annotations;
      [this.#base, this.#nested, this.#patterns] = [base, nested, patterns];
      this.#binaries.length = binaries;
      return undefined;
    }
  }

  #binary(kind: string, value: ArrayBuffer | ArrayBufferView): unknown {
    if (this.#binaries.length >= MOST_BINARIES) {
      return this.#refuse(`one more than the ${MOST_BINARIES} binary values that one frame may have`);
    }
    let bytes: Uint8Array;
    try {
      bytes = bytesOf(value);
    } catch {
      return this.#refuse('memory that was given away (transferred)');
    }
    const index = this.#binaries.push(bytes) - 1;
    return this.#annotate(['custom', kind], index);
  }

  #annotate(type: Type, json: unknown): unknown {
    this.#note(type, '');
    return json;
  }

  /** A container that JSON cannot say: paths of what is in it begin at it. */
  #within(type: Type, encode: () => unknown): unknown {
    this.#nested += 1;
    if (this.#nested > DEEPEST_META) {
      return this.#refuse(`nested deeper than ${DEEPEST_META} sets, maps and errors`);
    }
    const annotations = this.#annotations;
    const base = this.#base;
    this.#annotations = '';
    this.#base = this.#trail.depth;
    const json = encode();
    const inner = this.#annotations;
    this.#annotations = annotations;
    this.#base = base;
    this.#nested -= 1;
    this.#note(type, inner);
    return json;
  }

  /** @param inner the annotations within */
  #note(type: Type, inner: string): void {
    const path = JSON.stringify(this.#trail.path(this.#base));
    const comma = this.#annotations === '' ? '' : ',';
    this.#annotations += `${comma}${path}:[${JSON.stringify(type)}${inner === '' ? '' : `,{${inner}}`}]`;
  }

  #enter(container: object): void {
    if (this.#trail.depth >= this.#deepest) this.#refuse(`nested deeper than ${this.#deepest}`);
    this.#trail.enter(container);
  }

  #short(text: string, longest: number, what: string): string {
    return text.length > longest ? this.#refuse(`${what} of more than ${longest} characters`) : text;
  }

  /** JSON has no place for them, and they would be missed. */
  #refuseProperties(value: object, name: string): void {
    const [key] = Object.keys(value);
    if (key !== undefined) this.#refuse(`a ${name} with a property of its own (${key})`);
  }

  #refuseInstance(value: object): never {
    const { constructor } = value as { constructor?: unknown };
    if (types.isGeneratorObject(value)) {
      this.#refuse('a generator (an async function* sends its values one by one)');
    }
    if (isPromise(value)) this.#refuse('a promise (await it, and send what it resolves with)');
    const name = typeof constructor === 'function' && constructor.name ? constructor.name : 'a class';
    return this.#refuse(`an instance of ${name}`);
  }

  #refuse(what: string): never {
    throw new NotSerializable(String(this.#trail), what);
  }
}
