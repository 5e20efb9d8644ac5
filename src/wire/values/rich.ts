import { isPromise } from '../../base/value-shape.ts';
import { MOST_BINARIES, binaryKind, bytesOf } from '../binary.ts';
import { isDate, isGeneratorObject, isMap, isRegExp, isSet } from '../engine.ts';
import { isError } from './error-classes.ts';
import { writeError } from './error-parts.ts';
import type { PartWriter } from './error-parts.ts';
import { DEEPEST_META, LONGEST_BIGINT, LONGEST_PATTERNS, LONGEST_URL, put } from './meta.ts';
import type { Rich, RichOptions, Type } from './meta.ts';
import { NotSerializable, reasonOf } from './not-serializable.ts';
import {
  addedProperty,
  bigintText,
  dateTime,
  mapPairs,
  patternFlags,
  patternSource,
  setItems,
  urlText,
} from '../own.ts';
import { DEEPEST, isForeign, isPlainNumber } from './plain.ts';
import { TooLarge } from '../too-large.ts';
import { Trail } from './trail.ts';
import { isUrlText, patternCost } from '../work.ts';
import { nameOr } from '../../base/text.ts';

/**
 * Writes values that JSON alone cannot represent as JSON, annotations and bytes. A value that cannot be sent at all is refused
 * here, with its path: nothing is left out or changed silently. Everything is read once, and exactly what was read is written.
 */

/** @throws NotSerializable naming the first value that cannot be sent; TooLarge */
export function encodeRich(value: unknown, options: RichOptions): Rich {
  const encoder = new Encoder(options);
  return encoder.finish(encoder.read(value));
}

/** Stands for the array of a pair, which is in the JSON of a map but not in the map. */
const PAIR = Object.freeze([]);

export class Encoder implements PartWriter {
  readonly stacks: boolean;
  readonly #deepest: number;
  readonly #trail: Trail;
  readonly #binaries: Uint8Array[] = [];
  /** The annotations of the frame, or of the innermost set, map or error around the current value. */
  #annotations = '';
  /** The depth of that container. */
  #base: number | undefined;
  #nested = 0;
  #patterns = 0;
  /** Characters and bytes that are still free. Each value is counted as less than it will need. */
  #left: number;

  constructor({ field, name, stacks, deepest = DEEPEST, most }: RichOptions) {
    this.stacks = stacks;
    this.#deepest = deepest;
    this.#trail = new Trail(field, name);
    this.#left = most;
  }

  finish(json: unknown): Rich {
    const count = this.#binaries.length;
    const empty = this.#annotations === '' && count === 0;
    const meta = empty
      ? undefined
      : `{"values":{${this.#annotations}},"v":1${count > 0 ? `,"binary":${count}` : ''}}`;
    return { json, meta, binaries: this.#binaries };
  }

  /** @throws NotSerializable; TooLarge; nothing else */
  read(value: unknown): unknown {
    try {
      return this.#encode(value);
    } catch (cause) {
      if (NotSerializable.is(cause) || TooLarge.is(cause)) throw cause;
      // A getter, or a proxy, threw.
      throw new NotSerializable(String(this.#trail), `a value that cannot be read${reasonOf(cause)}`, {
        cause,
      });
    }
  }

  /** Text of the current error. It is cut rather than refused: to at most half of the free room. */
  cut(text: string): string {
    const most = Math.floor(this.#left / 2);
    const kept = text.length > most ? `${text.slice(0, most)}… (cut: it was too large)` : text;
    this.pay(Math.min(text.length, most));
    return kept;
  }

  /** Values that are read until `leave` are in this container. */
  enter(container: object): void {
    if (this.#trail.depth >= this.#deepest) this.#refuse(`nested deeper than ${this.#deepest}`);
    this.#trail.enter(container);
  }

  /** The next value is under this key of the innermost container. */
  at(key: string | number): void {
    this.#trail.at(key);
  }

  leave(): void {
    this.#trail.leave();
  }

  /**
   * Undefined for a value that cannot be sent, of which nothing is kept. The value may use half of the free room. If that is not
   * enough, this half is used up: so an error with a thousand properties that are too large is not a thousand times the work.
   */
  attempt(read: () => unknown, failed?: (error: unknown) => void): { json: unknown } | undefined {
    const annotations = this.#annotations;
    const { depth } = this.#trail;
    const base = this.#base;
    const [nested, patterns, left] = [this.#nested, this.#patterns, this.#left];
    const binaries = this.#binaries.length;
    const half = Math.floor(left / 2);
    this.#left = left - half;
    try {
      const json = read();
      this.#left += half;
      return { json };
    } catch (error) {
      this.#trail.leaveTo(depth);
      this.#annotations = annotations;
      [this.#base, this.#nested, this.#patterns] = [base, nested, patterns];
      this.#binaries.length = binaries;
      this.#left = TooLarge.is(error) ? half : left - 1;
      failed?.(error);
      return undefined;
    }
  }

  #encode(value: unknown): unknown {
    this.pay(1);
    switch (typeof value) {
      case 'string':
        this.pay(value.length + 1);
        return value;
      case 'boolean':
        return value;
      case 'number':
        if (isPlainNumber(value)) return value;
        return this.#annotate('number', Object.is(value, -0) ? '-0' : String(value));
      case 'bigint':
        return this.#annotate(
          'bigint',
          this.#short(bigintText(value), `bigint of more than ${LONGEST_BIGINT}`),
        );
      case 'undefined':
        return this.#annotate('undefined', null);
      case 'object':
        return value === null ? null : this.#object(value);
      case 'function':
        // Its name may be any value, since it can be defined anew.
        return this.#refuse(`a function (${nameOr(value.name, '')})`.replace(' ()', ''));
      default:
        return this.#refuse('a symbol');
    }
  }

  #object(value: object): unknown {
    if (this.#trail.has(value)) return this.#refuse('a circular reference to a value that contains it');
    const prototype: unknown = Object.getPrototypeOf(value);
    if (Array.isArray(value)) {
      if (prototype !== Array.prototype && !isForeign(prototype, 'Array')) return this.#refuseInstance(value);
      return this.#list(value, value);
    }
    if (prototype === Object.prototype || prototype === null || isForeign(prototype, 'Object')) {
      return this.#record(value as Record<string, unknown>);
    }
    if (isError(value)) return this.#within('Error', () => writeError(this, value));
    return this.#builtIn(value, prototype as object) ?? this.#refuseInstance(value);
  }

  /** Undefined if the value is not a built-in one. A class derived from one counts as none: the other side does not have it. */
  #builtIn(value: object, prototype: object): unknown {
    const kind = binaryKind(value);
    if (kind !== undefined) return this.#binary(kind, value as ArrayBuffer | ArrayBufferView);
    const { name } = (prototype as { constructor?: { name?: unknown } }).constructor ?? {};
    // A user class with the same name must not pass, even if it is derived from the built-in class.
    const above: unknown = Object.getPrototypeOf(prototype);
    if (above === null || Object.getPrototypeOf(above) !== null) return undefined;
    if (name === 'Date' && isDate(value)) {
      this.#refuseProperties(value, 'a Date');
      const time = dateTime(value);
      return this.#annotate('Date', Number.isNaN(time) ? 'Invalid Date' : new Date(time).toISOString());
    }
    if (name === 'Set' && isSet(value)) {
      this.#refuseProperties(value, 'a Set');
      return this.#within('set', () => this.#list(value, setItems(value)));
    }
    if (name === 'Map' && isMap(value)) {
      this.#refuseProperties(value, 'a Map');
      return this.#within('map', () => this.#map(value));
    }
    if (name === 'RegExp' && isRegExp(value)) return this.#pattern(value);
    if (prototype === URL.prototype) {
      this.#refuseProperties(value, 'a URL');
      const text = urlText(value);
      const short = this.#short(
        text.length > LONGEST_URL ? undefined : text,
        `URL of more than ${LONGEST_URL}`,
      );
      return isUrlText(short) ? this.#annotate('URL', short) : this.#refuse('a URL whose host is too long');
    }
    return undefined;
  }

  #pattern(value: RegExp): unknown {
    this.#refuseProperties(value, 'a RegExp');
    const source = patternSource(value);
    const flags = patternFlags(value);
    this.#patterns += patternCost(source, flags);
    if (this.#patterns === Infinity && source.length <= LONGEST_PATTERNS) {
      return this.#refuse('a regular expression that is too slow to compile (\\p{…} with the flag v)');
    }
    if (this.#patterns > LONGEST_PATTERNS) {
      return this.#refuse(
        `a regular expression beyond the ${LONGEST_PATTERNS} characters that all of one message may have together`,
      );
    }
    return this.#annotate('regexp', `/${source}/${flags}`);
  }

  #list(container: object, items: readonly unknown[]): unknown[] {
    const json: unknown[] = [];
    const { length } = items;
    this.pay(length);
    this.enter(container);
    for (let index = 0; index < length; index += 1) {
      this.#trail.at(index);
      const item = items[index];
      if (item === undefined && !Object.hasOwn(items, index)) this.#refuse('a hole in an array');
      json.push(this.#encode(item));
    }
    this.leave();
    return json;
  }

  #record(record: Record<string, unknown>): object {
    const json = {};
    this.enter(record);
    for (const key of Object.keys(record)) {
      this.pay(key.length + 4);
      this.#trail.at(key);
      put(json, key, this.#encode(record[key]));
    }
    this.leave();
    return json;
  }

  #map(map: Map<unknown, unknown>): unknown[] {
    const pairs: unknown[] = [];
    this.enter(map);
    for (const pair of mapPairs(map)) {
      this.#trail.at(pairs.length);
      pairs.push(this.#list(PAIR, pair));
    }
    this.leave();
    return pairs;
  }

  #binary(kind: string, value: ArrayBuffer | ArrayBufferView): unknown {
    this.#refuseProperties(
      value,
      kind === 'ArrayBuffer' || /^[AEIO]/.test(kind) ? `an ${kind}` : `a ${kind}`,
    );
    if (this.#binaries.length >= MOST_BINARIES) {
      return this.#refuse(`one more than the ${MOST_BINARIES} binary values that one message may have`);
    }
    let bytes: Uint8Array;
    try {
      bytes = bytesOf(value);
    } catch {
      return this.#refuse('memory that was transferred elsewhere');
    }
    this.pay(bytes.byteLength);
    const index = this.#binaries.push(bytes) - 1;
    return this.#annotate(['custom', kind], index);
  }

  #annotate(type: Type, json: unknown): unknown {
    this.#note(type, '');
    return json;
  }

  /** A container that JSON cannot represent. Paths of its contents begin at it. */
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

  /** @param inner the annotations within the value */
  #note(type: Type, inner: string): void {
    const path = this.#trail.path(this.#base);
    this.pay(path.length + 6);
    const comma = this.#annotations === '' ? '' : ',';
    const within = inner === '' ? '' : `,{${inner}}`;
    this.#annotations += `${comma}${JSON.stringify(path)}:[${JSON.stringify(type)}${within}]`;
  }

  /** @throws TooLarge if there is no room for that many characters */
  pay(characters: number): void {
    this.#left -= characters;
    if (this.#left < 0) throw new TooLarge('it is larger than the receiver accepts');
  }

  #short(text: string | undefined, what: string): string {
    if (text === undefined) return this.#refuse(`a ${what} characters`);
    this.pay(text.length);
    return text;
  }

  /** Refuses extra properties on a built-in object: JSON has no place for them, and they would be lost. */
  #refuseProperties(value: object, what: string): void {
    const key = addedProperty(value);
    if (key !== undefined) this.#refuse(`${what} with an added property (${key.slice(0, 64)})`);
  }

  #refuseInstance(value: object): never {
    const { constructor } = value as { constructor?: unknown };
    if (isGeneratorObject(value)) {
      this.#refuse('a generator (use an async function* to send its values as a stream)');
    }
    if (isPromise(value)) this.#refuse('a promise (await it, and send its result)');
    const name = typeof constructor === 'function' ? nameOr(constructor.name, 'a class') : 'a class';
    return this.#refuse(`an instance of ${name}`);
  }

  #refuse(what: string): never {
    throw new NotSerializable(String(this.#trail), what);
  }
}
