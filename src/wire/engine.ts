import { inspect, types } from 'node:util';

/**
 * What the codec asks of the engine that it runs in, and what Node answers faster than plain JavaScript can. A page gets
 * `page/lean/engine.ts` in the place of this file: the build puts it there.
 */

export const {
  isArrayBuffer,
  isDate,
  isGeneratorObject,
  isMap,
  isNativeError,
  isRegExp,
  isSet,
  isTypedArray,
} = types;

/** How many bytes the text has as UTF-8. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** The same text, which keeps no other text in memory that it was cut out of. */
export function copied(text: string): string {
  return Buffer.from(text).toString();
}

/** The bytes over the same memory. @throws TypeError if the memory was transferred */
export function bytesOver(memory: ArrayBuffer, offset?: number, length?: number): Uint8Array {
  return Buffer.from(memory, offset, length);
}

export function isBuffer(value: unknown): boolean {
  return Buffer.isBuffer(value);
}

const BARE = { maxArrayLength: 0, depth: 0, customInspect: false, breakLength: Infinity };

/**
 * Whether a typed array may have properties that a user has put on it. Its keys include a string for each element, which is
 * slow. `inspect` does not need them.
 */
export function mayHaveProperties(view: object): boolean {
  return !/(?:\[\]|more items? \])$/.test(inspect(view, BARE));
}
