import { inspect, types } from 'node:util';

import { LONGEST_BIGINT } from './values/meta.ts';

/**
 * What the engine's own objects hold, asked of the engine itself: a property of the user's on the object, such as a `source`
 * that is another, is not looked at. It works for objects of other realms as well.
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

/** NaN for an invalid one. */
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

/** Its digits; undefined for one of more than there may be, of which the digits would take very long. */
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

/** The bytes that a view is over. @throws TypeError when the memory was given away (`transfer`) */
export function viewed(view: ArrayBufferView): Uint8Array {
  const place = types.isTypedArray(view) ? ofTypedArray : ofDataView;
  return Buffer.from(place.buffer(view), place.byteOffset(view), place.byteLength(view));
}

const BARE = { maxArrayLength: 0, depth: 0, customInspect: false, breakLength: Infinity };

/**
 * A property that somebody has put on one of the engine's objects: an enumerable one with a string for its key. To list the
 * keys of a typed array is a string for each of its elements; `inspect` can do without, and is asked first.
 */
export function addedProperty(value: object): string | undefined {
  if (!types.isTypedArray(value)) return Object.keys(value)[0];
  if (/(?:\[\]|more items? \])$/.test(inspect(value, BARE))) return undefined;
  return Object.keys(value).find((key) => !/^\d+$/.test(key));
}
