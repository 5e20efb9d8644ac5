import { endianness } from 'node:os';
import { types } from 'node:util';

import { BadFrame } from './bad-frame.ts';
import { viewed } from './own.ts';

/** Bytes as they cross a connection: views of many kinds to binary messages and back. */

/** Binary messages that one frame may take. */
export const MOST_BINARIES = 4_096;

type ViewClass = {
  readonly prototype: ArrayBufferView;
  readonly BYTES_PER_ELEMENT?: number;
  new (buffer: ArrayBuffer, offset: number, length: number): ArrayBufferView;
};

/** By the name that is told on the wire. Buffer is not among them: it is made by a function of its own. */
const views = new Map<string, ViewClass>();
for (const name of [
  'Uint8Array',
  'Uint8ClampedArray',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'BigUint64Array',
  'BigInt64Array',
  'DataView',
]) {
  // Float16Array is not in every engine.
  const view = (globalThis as unknown as Record<string, ViewClass | undefined>)[name];
  if (view) views.set(name, view);
}

/** What an ArrayBuffer or a view is called on the wire; undefined for anything else, and for a class of the user's. */
export function binaryKind(value: object): string | undefined {
  if (types.isArrayBuffer(value)) return 'ArrayBuffer';
  if (!ArrayBuffer.isView(value)) return undefined;
  if (Buffer.isBuffer(value)) return 'Buffer';
  const { name } = (Object.getPrototypeOf(value) as { constructor: { name: string } }).constructor;
  return views.has(name) ? name : undefined;
}

/** The very memory of the value, as bytes. @throws TypeError when the memory was given away (`transfer`) */
export function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(value)) return Buffer.from(value);
  const bytes = viewed(value);
  const { BYTES_PER_ELEMENT: size = 1 } = value as { BYTES_PER_ELEMENT?: number };
  return FOREIGN && size > 1 ? reversed(bytes, size) : bytes;
}

/** On the wire the least significant byte of an element is the first. A few processors have it the other way round. */
const FOREIGN = endianness() === 'BE';

/** A copy with the bytes of each element in the opposite order. */
export function reversed(bytes: Uint8Array, size: number): Uint8Array {
  const copy = Buffer.from(bytes);
  if (size === 2) return copy.swap16();
  return size === 4 ? copy.swap32() : copy.swap64();
}

/** A value of this kind over `bytes`, without a copy where their place in memory allows. Undefined when there is none. */
export function viewOf(kind: string, bytes: Uint8Array): ArrayBuffer | ArrayBufferView | undefined {
  const { byteOffset, byteLength } = bytes;
  const buffer = bytes.buffer as ArrayBuffer;
  if (kind === 'Buffer') return Buffer.from(buffer, byteOffset, byteLength);
  if (kind === 'ArrayBuffer') {
    return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
  }
  const view = views.get(kind);
  const { BYTES_PER_ELEMENT: size = 1 } = view ?? {};
  if (!view || byteLength % size !== 0) return undefined;
  const length = byteLength / size;
  if (FOREIGN && size > 1) return new view(Uint8Array.from(reversed(bytes, size)).buffer, 0, length);
  if (byteOffset % size === 0) return new view(buffer, byteOffset, length);
  return new view(buffer.slice(byteOffset, byteOffset + byteLength), 0, length);
}

/**
 * Binary messages that have arrived and wait for the frame that takes them, which comes with the next text
 * message. Bounded: what a peer sends without a frame costs no more than one frame may.
 */
export class Arrivals {
  readonly #mostBytes: number;
  #waiting: Uint8Array[] = NONE;
  #bytes = 0;

  /** @param mostBytes of the text of a message together with its binary messages */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** @throws BadFrame */
  add(data: Uint8Array): void {
    if (this.#waiting === NONE) this.#waiting = [];
    this.#bytes += data.byteLength;
    if (this.#waiting.length >= MOST_BINARIES || this.#bytes > this.#mostBytes) {
      this.clear();
      throw new BadFrame('more binary messages than one frame may take');
    }
    this.#waiting.push(compact(data));
  }

  /** The text message that the binary messages came before. @throws BadFrame */
  begin(text: string): void {
    if (this.#waiting === NONE || this.#bytes + Buffer.byteLength(text) <= this.#mostBytes) return;
    this.clear();
    throw new BadFrame('a message is too large with its binary messages');
  }

  /** The next `count`, for the frame that says it takes so many. @throws BadFrame */
  take(count: number): Uint8Array[] {
    if (count > this.#waiting.length) throw new BadFrame('a frame takes binary messages that did not come');
    if (count < this.#waiting.length) return this.#waiting.splice(0, count);
    const all = this.#waiting;
    this.clear();
    return all;
  }

  /** The text message is over. @throws BadFrame when something is left */
  end(): void {
    if (this.#waiting === NONE) return;
    const { length } = this.#waiting;
    this.clear();
    if (length > 0) throw new BadFrame('binary messages came that no frame takes');
  }

  clear(): void {
    this.#waiting = NONE;
    this.#bytes = 0;
  }
}

/** Never changed; stands for an empty list, as there is one for every idle connection. */
const NONE: Uint8Array[] = [];

/**
 * What came in one piece with much else is copied: a few bytes that somebody keeps must not keep the 64 KiB that the
 * socket was read into. What has more than half of its memory for itself stays where it is.
 */
function compact(data: Uint8Array): Uint8Array {
  if (data.byteLength * 2 > data.buffer.byteLength) return data;
  // `slice` of a Buffer is a view; that of a Uint8Array is a copy.
  return Uint8Array.prototype.slice.call(data);
}
