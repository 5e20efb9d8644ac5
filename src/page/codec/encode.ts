import { nameOr } from '../../base/text.ts';
import { isPromise } from '../../base/value-shape.ts';
import { TooLarge } from '../../wire/too-large.ts';
import { DEEPEST_META, LONGEST_BIGINT, joinPath, put } from '../../wire/values/meta.ts';
import { isError } from '../../wire/values/error-classes.ts';
import { NotSerializable, reasonOf } from '../../wire/values/not-serializable.ts';
import { writeError } from './errors.ts';

/**
 * Writes values in the format of `wire/values/rich.ts`, in a third of its size. It trusts the engine's own methods, and has one way
 * for all values. `spec/page/codec.spec.ts` holds it against the codec of processes, in both directions.
 */

/** As in `wire/values/plain.ts` and `wire/binary.ts`. */
const DEEPEST = 256;
const MOST_BINARIES = 4_096;

/** Whether values of this class are sent as bytes: a class of the engine, or Node's `Buffer`, which a bundler may add. */
export function isBytesClass(name: unknown): boolean {
  return (
    name === 'Buffer' || (typeof name === 'string' && /Array$|View$|Buffer$/.test(name) && name in globalThis)
  );
}

const TYPES: { readonly [name: string]: (new () => object) | undefined } = Object.assign(
  Object.create(null),
  {
    Date,
    Map,
    RegExp,
    Set,
    URL,
  },
);

/** A value as JSON, and what JSON cannot say about it. */
export interface Encoded {
  json: unknown;
  /** The text of `,"meta":…`, or nothing. */
  meta: string;
  binaries: Uint8Array[];
}

/**
 * @param field of the frame that has the value
 * @param name of the value in messages
 * @param most characters and bytes that the other side accepts
 * @throws NotSerializable; TooLarge
 */
export function encodeValue(
  value: unknown,
  field: string,
  name: string,
  most: number,
  write: (encoder: Encoder, value: unknown) => unknown = (encoder, given) => encoder.value(given),
): Encoded {
  const encoder = new Encoder(field, name, most);
  try {
    return encoder.finish(write(encoder, value));
  } catch (cause) {
    if (cause === encoder.refusal) throw cause;
    // A getter, or a proxy, threw.
    throw new NotSerializable(encoder.path, `a value that cannot be read${reasonOf(cause)}`, { cause });
  }
}

export class Encoder {
  /** What it threw itself. The user's getters and proxies may throw anything, even the same classes. */
  refusal: Error | undefined;
  readonly #name: string;
  /** First the field of the frame, then the key in each container. */
  #keys: (string | number)[];
  /** The containers around the current value. */
  readonly #inside: object[] = [];
  /** Index of the first key within the innermost set, map or error. */
  #base = 0;
  #nested = 0;
  #notes = '';
  #binaries: Uint8Array[] = [];
  #left: number;

  constructor(field: string, name: string, most: number) {
    this.#keys = [field];
    this.#name = name;
    this.#left = most;
  }

  /** As you would write it in code. */
  get path(): string {
    return this.#keys.slice(1).reduce<string>((path, key, at) => {
      const container = this.#inside[at];
      if (container instanceof Map) return `${path}.entries()[${key}]`;
      if (container instanceof Set) return `${path}.values()[${key}]`;
      return path + (/^[a-z_$][\w$]*$/i.test(String(key)) ? `.${key}` : `[${JSON.stringify(key)}]`);
    }, this.#name);
  }

  finish(json: unknown): Encoded {
    const { length } = this.#binaries;
    const binary = length > 0 ? `,"binary":${length}` : '';
    const meta = this.#notes && `,"meta":{"values":{${this.#notes}},"v":1${binary}}`;
    return { json, meta, binaries: this.#binaries };
  }

  /** @throws NotSerializable; TooLarge; what the user's code throws */
  value(value: unknown): unknown {
    this.#pay(1);
    switch (typeof value) {
      case 'string':
        this.#pay(value.length);
        return value;
      case 'boolean':
        return value;
      case 'number':
        if (Object.is(value, -0)) return this.#note('number', '-0');
        return Number.isFinite(value) ? value : this.#note('number', String(value));
      case 'bigint':
        return this.#brief('bigint', value);
      case 'undefined':
        return this.#note('undefined', null);
      case 'object':
        return value && this.#object(value);
      case 'function':
        return this.refuse(`a function (${nameOr(value.name, '')})`.replace(' ()', ''));
      default:
        return this.refuse('a symbol');
    }
  }

  /** Writes what is in a container. */
  within<T>(container: object, write: () => T): T {
    if (this.#inside.includes(container)) this.refuse('a circular reference to a value that contains it');
    if (this.#inside.length >= DEEPEST) this.refuse(`nested deeper than ${DEEPEST}`);
    this.#inside.push(container);
    this.#keys.push('');
    const json = write();
    this.#inside.pop();
    this.#keys.pop();
    return json;
  }

  at(key: string | number): void {
    this.#keys[this.#keys.length - 1] = key;
  }

  /**
   * Writes a part that may be left out. Nothing is kept of one that fails. It may use half of the free room; if that is not enough,
   * this half is used up: so an error with a thousand properties that are too large is not a thousand times the work.
   */
  attempt(write: () => void): void {
    const { length: depth } = this.#inside;
    const kept = [this.#notes, this.#base, this.#nested] as const;
    const { length } = this.#binaries;
    const half = Math.floor(this.#left / 2);
    this.#left -= half;
    try {
      write();
      this.#left += half;
    } catch {
      this.#inside.length = depth;
      this.#keys.length = depth + 1;
      [this.#notes, this.#base, this.#nested] = kept;
      this.#binaries.length = length;
      this.#left = half - 1;
    }
  }

  /** Text of an error. It is cut rather than refused: to at most half of the free room. */
  text(text: string): string {
    const kept = text.slice(0, Math.max(0, Math.floor(this.#left / 2)));
    this.#pay(kept.length + 1);
    return kept;
  }

  refuse(what: string): never {
    throw (this.refusal = new NotSerializable(this.path, what));
  }

  #object(value: object): unknown {
    const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
    const name = prototype?.constructor?.name;
    // Of another realm, such as a frame, they count, too.
    const isOwn = (key: string): boolean => prototype !== null && Object.hasOwn(prototype, key);
    if (Array.isArray(value) && name === 'Array' && isOwn('copyWithin')) return this.#list(value, value);
    if (prototype === null || (name === 'Object' && isOwn('isPrototypeOf'))) return this.#record(value);
    if (isError(value)) return this.#special('Error', () => writeError(this, value));
    if (Object.getPrototypeOf(Object.getPrototypeOf(prototype)) === null || ArrayBuffer.isView(value)) {
      const written = this.#builtIn(value, name);
      if (written !== undefined) return written;
    }
    if (isPromise(value)) this.refuse('a promise (await it, and send its result)');
    if (Object.prototype.toString.call(value) === '[object Generator]')
      this.refuse('a generator (use an async function* to send its values as a stream)');
    return this.refuse(`an instance of ${nameOr(name, 'a class')}`);
  }

  #builtIn(value: object, name: unknown): unknown {
    if (isBytesClass(name) && isBytes(value)) return this.#bytes(String(name), value);
    // The name comes first: `instanceof` walks as many prototypes as a proxy makes up.
    const type = TYPES[String(name)];
    if (!type || !(value instanceof type)) return undefined;
    const [added] = Object.keys(value);
    if (added !== undefined) this.refuse(`a ${String(name)} with an added property (${added.slice(0, 64)})`);
    if (value instanceof Date) {
      const time = value.getTime();
      return this.#note('Date', Number.isNaN(time) ? 'Invalid Date' : value.toISOString());
    }
    if (value instanceof Set) return this.#special('set', () => this.#list(value, [...value]));
    if (value instanceof Map) return this.#special('map', () => this.#list(value, [...value]));
    if (value instanceof RegExp) return this.#brief('regexp', value);
    return this.#note('URL', this.value((value as URL).href));
  }

  #bytes(kind: string, value: ArrayBuffer | ArrayBufferView): unknown {
    if (this.#binaries.length >= MOST_BINARIES) this.refuse(`one more than ${MOST_BINARIES} binary values`);
    let bytes: Uint8Array;
    try {
      bytes = ArrayBuffer.isView(value)
        ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
        : new Uint8Array(value);
    } catch {
      return this.refuse('memory that was transferred elsewhere');
    }
    this.#pay(bytes.length);
    return this.#note(['custom', kind], this.#binaries.push(bytes) - 1);
  }

  #list(container: object, items: readonly unknown[]): unknown[] {
    this.#pay(items.length);
    return this.within(container, () =>
      Array.from(items, (item, index) => {
        this.at(index);
        if (item === undefined && !(index in items)) this.refuse('a hole in an array');
        return this.value(item);
      }),
    );
  }

  #record(record: object): object {
    const json = {};
    return this.within(record, () => {
      for (const key of Object.keys(record)) {
        this.#pay(key.length + 4);
        this.at(key);
        put(json, key, this.value((record as Record<string, unknown>)[key]));
      }
      return json;
    });
  }

  /** A container that JSON does not have. Paths of its contents begin at it. */
  #special(type: string, write: () => unknown): unknown {
    if (this.#nested >= DEEPEST_META) this.refuse(`nested deeper than ${DEEPEST_META} sets, maps and errors`);
    const [notes, base] = [this.#notes, this.#base];
    this.#nested += 1;
    this.#notes = '';
    this.#base = this.#keys.length;
    const json = write();
    const inner = this.#notes;
    this.#nested -= 1;
    this.#notes = notes;
    this.#base = base;
    return this.#note(type, json, inner);
  }

  #note(type: string | string[], json: unknown, inner = ''): unknown {
    const path = joinPath(this.#keys, this.#base);
    this.#pay(path.length + 6);
    const within = inner && `,{${inner}}`;
    this.#notes += `${this.#notes && ','}${JSON.stringify(path)}:[${JSON.stringify(type)}${within}]`;
    return json;
  }

  #brief(type: string, value: unknown): unknown {
    const text = this.value(String(value)) as string;
    if (text.length > LONGEST_BIGINT) this.refuse(`a ${type} of more than ${LONGEST_BIGINT} characters`);
    return this.#note(type, text);
  }

  #pay(characters: number): void {
    this.#left -= characters;
    if (this.#left < 0) throw (this.refusal = new TooLarge());
  }
}

function isBytes(value: object): value is ArrayBuffer | ArrayBufferView {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}
