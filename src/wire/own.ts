import { bytesOver, isTypedArray, mayHaveProperties } from './engine.ts';
import { LONGEST_BIGINT } from './values/meta.ts';

/**
 * Reads built-in objects through the engine's own getters. Properties that a user has put on the object, such as another
 * `source`, are not seen. It works for objects of other realms as well.
 */

type Getter<T> = (of: object) => T;

function getter(prototype: object, key: PropertyKey): Getter<unknown> {
  const property = Object.getOwnPropertyDescriptor(prototype, key)!;
  return (of) => property.get!.call(of);
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

export const patternSource = getter(RegExp.prototype, 'source') as Getter<string>;
export const patternFlags = getter(RegExp.prototype, 'flags') as Getter<string>;
export const urlText = getter(URL.prototype, 'href') as Getter<string>;

/** NaN for an invalid date. */
export function dateTime(date: Date): number {
  return Date.prototype.getTime.call(date);
}

export function setItems(set: Set<unknown>): unknown[] {
  const items: unknown[] = [];
  Set.prototype.forEach.call(set, (item) => {
    items.push(item);
  });
  return items;
}

export function mapPairs(map: Map<unknown, unknown>): [unknown, unknown][] {
  const pairs: [unknown, unknown][] = [];
  Map.prototype.forEach.call(map, (item, key) => {
    pairs.push([key, item]);
  });
  return pairs;
}

/** The digits; undefined for a bigint beyond the limit, whose digits would take very long to compute. */
export function bigintText(value: bigint): string | undefined {
  if (value >= LARGEST_BIGINT || value <= -LARGEST_BIGINT) return undefined;
  const text = String(value);
  return text.length > LONGEST_BIGINT ? undefined : text;
}

const LARGEST_BIGINT = 10n ** BigInt(LONGEST_BIGINT);

interface Place {
  buffer: Getter<ArrayBuffer>;
  byteOffset: Getter<number>;
  byteLength: Getter<number>;
}

const placeIn = (prototype: object): Place => ({
  buffer: getter(prototype, 'buffer') as Getter<ArrayBuffer>,
  byteOffset: getter(prototype, 'byteOffset') as Getter<number>,
  byteLength: getter(prototype, 'byteLength') as Getter<number>,
});
const ofTypedArray = placeIn(typedArray);
const ofDataView = placeIn(DataView.prototype);

/** The bytes under a view. @throws TypeError if the memory was transferred */
export function viewed(view: ArrayBufferView): Uint8Array {
  const place = isTypedArray(view) ? ofTypedArray : ofDataView;
  return bytesOver(place.buffer(view), place.byteOffset(view), place.byteLength(view));
}

/**
 * The key of a property that a user has put on a built-in object (enumerable, with a string as key); undefined if there is none.
 */
export function addedProperty(value: object): string | undefined {
  if (!isTypedArray(value)) return Object.keys(value)[0];
  if (!mayHaveProperties(value)) return undefined;
  return Object.keys(value).find((key) => !/^\d+$/.test(key));
}
