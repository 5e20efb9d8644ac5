/** What the codec asks of its engine, in plain JavaScript. The build of the page puts it in the place of `wire/engine.ts`. */

interface Taker {
  get?: (this: unknown) => unknown;
  value?: (this: unknown) => unknown;
}

/** Whether the engine's own getter or method takes the value, which it does for one kind only. Runs no code of the value. */
const taker =
  (prototype: object, key: PropertyKey) =>
  (value: unknown): boolean => {
    const property = Object.getOwnPropertyDescriptor(prototype, key)! as Taker;
    try {
      (property.get ?? property.value!).call(value);
      return true;
    } catch {
      return false;
    }
  };

const hasByteLength = taker(ArrayBuffer.prototype, 'byteLength');

export const isDate = taker(Date.prototype, 'getTime');
export const isMap = taker(Map.prototype, 'size');
export const isSet = taker(Set.prototype, 'size');
export const isRegExp = taker(RegExp.prototype, 'source');

export function isArrayBuffer(value: object): value is ArrayBuffer {
  // An exception costs some µs, and most values have no such key.
  return 'byteLength' in value && hasByteLength(value);
}

export function isTypedArray(value: unknown): boolean {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

export function isNativeError(value: unknown): value is Error {
  return value instanceof Error;
}

export function isGeneratorObject(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Generator]';
}

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

export function copied(text: string): string {
  return text;
}

export function bytesOver(memory: ArrayBuffer, offset?: number, length?: number): Uint8Array {
  return new Uint8Array(memory, offset, length);
}

export function isBuffer(): boolean {
  return false;
}

/** Elements of a typed array whose properties are looked for. Each costs a string. */
const MOST_LOOKED_AT = 1_024;

export function mayHaveProperties(view: object): boolean {
  return (view as Uint8Array).length <= MOST_LOOKED_AT;
}
