import { BadFrame } from './bad-frame.ts';
import { byteLength as lengthOf, bytesOver, isArrayBuffer, isBuffer } from './engine.ts';
import { viewed } from './own.ts';

/** How bytes cross a connection: from views of many kinds to binary messages, and back. */

/** Binary messages of one frame, at most. */
export const MOST_BINARIES = 4_096;

type ViewClass = {
  readonly prototype: ArrayBufferView;
  readonly BYTES_PER_ELEMENT?: number;
  new (buffer: ArrayBuffer, offset: number, length: number): ArrayBufferView;
};

/** By the name on the wire. Buffer is missing because a function creates it, not a constructor. */
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
  // Not every engine has Float16Array.
  const view = (globalThis as unknown as Record<string, ViewClass | undefined>)[name];
  if (view) views.set(name, view);
}

/** The name of an ArrayBuffer or view on the wire. Undefined for anything else, and for a class of the user. */
export function binaryKind(value: object): string | undefined {
  if (isArrayBuffer(value)) return 'ArrayBuffer';
  if (!ArrayBuffer.isView(value)) return undefined;
  if (isBuffer(value)) return 'Buffer';
  const { name } = (Object.getPrototypeOf(value) as { constructor: { name: string } }).constructor;
  return views.has(name) ? name : undefined;
}

/** The bytes of the value, over the same memory. @throws TypeError if the memory was transferred */
export function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(value)) return bytesOver(value);
  const bytes = viewed(value);
  const { BYTES_PER_ELEMENT: size = 1 } = value as { BYTES_PER_ELEMENT?: number };
  return FOREIGN && size > 1 ? reversed(bytes, size) : bytes;
}

/** The wire is little-endian: the least significant byte of an element comes first. A few processors are big-endian. */
const FOREIGN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** A copy in which the bytes of each element are reversed. */
export function reversed(bytes: Uint8Array, size: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
  return copy;
}

/** A value of this kind over `bytes`, without a copy where their alignment allows it. Undefined if it cannot be created. */
export function viewOf(kind: string, bytes: Uint8Array): ArrayBuffer | ArrayBufferView | undefined {
  const { byteOffset, byteLength } = bytes;
  const buffer = bytes.buffer as ArrayBuffer;
  if (kind === 'Buffer') return bytesOver(buffer, byteOffset, byteLength);
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
 * Binary messages that have arrived and wait for their frame, which comes with the next text message. They are bounded: a peer
 * that never sends the frame can occupy no more memory than one frame may have.
 */
export class Arrivals {
  readonly #mostBytes: number;
  #waiting: Uint8Array[] = NONE;
  #bytes = 0;

  /** @param mostBytes limit for the text of a message together with its binary messages */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** @throws BadFrame */
  add(data: Uint8Array): void {
    if (this.#waiting === NONE) this.#waiting = [];
    this.#bytes += data.byteLength;
    if (this.#waiting.length >= MOST_BINARIES || this.#bytes > this.#mostBytes) {
      this.clear();
      throw new BadFrame('more binary messages than one frame may have');
    }
    this.#waiting.push(compact(data));
  }

  /** Call with the text message that follows the binary messages. @throws BadFrame */
  begin(text: string): void {
    if (this.#waiting === NONE || this.#bytes + lengthOf(text) <= this.#mostBytes) return;
    this.clear();
    throw new BadFrame('a message is too large together with its binary messages');
  }

  /** The next `count` binary messages, for the frame that they belong to. @throws BadFrame */
  take(count: number): Uint8Array[] {
    if (count > this.#waiting.length)
      throw new BadFrame('a frame refers to binary messages that did not arrive');
    if (count < this.#waiting.length) return this.#waiting.splice(0, count);
    const all = this.#waiting;
    this.clear();
    return all;
  }

  /** The text message is over. @throws BadFrame if binary messages are left */
  end(): void {
    if (this.#waiting === NONE) return;
    const { length } = this.#waiting;
    this.clear();
    if (length > 0) throw new BadFrame('binary messages arrived that belong to no frame');
  }

  clear(): void {
    this.#waiting = NONE;
    this.#bytes = 0;
  }
}

/** An empty list that is never changed. All idle connections share it. */
const NONE: Uint8Array[] = [];

/**
 * Copies a view that uses half of its memory or less: a few bytes that the user keeps must not keep the 64 KiB block that the
 * socket was read into. A view over more than half of its memory is returned as it is.
 */
function compact(data: Uint8Array): Uint8Array {
  if (data.byteLength * 2 > data.buffer.byteLength) return data;
  // `Buffer.slice` returns a view, `Uint8Array.slice` a copy.
  return Uint8Array.prototype.slice.call(data);
}
