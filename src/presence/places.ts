import { createHmac } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { Memo } from '../base/memo.ts';
import type { Places } from './members/rings.ts';

/** Bytes of a place on a ring. */
const BYTES = 5;

/** Places that were computed lately, for all peers of this process: the same ids stand on the rings of each. */
const known = new Memo<readonly number[]>(8_192);

/** Where ids stand on the rings: nobody without the secret can compute it, and nobody can choose it. */
export function placesBy(key: KeyObject, rings: number): Places {
  const name = createHmac('sha256', key).update(`${rings}`).digest('base64url');
  return (id) => {
    const text = `${name} ${id}`;
    let places = known.get(text);
    if (!places) known.set(text, (places = compute(key, rings, id)));
    return places;
  };
}

function compute(key: KeyObject, rings: number, id: string): number[] {
  const places: number[] = [];
  for (let block = 0; places.length < rings; block += 1) {
    const digest = createHmac('sha256', key).update(`${block} ${id}`, 'utf8').digest();
    for (let at = 0; at + BYTES <= digest.length && places.length < rings; at += BYTES) {
      places.push(digest.readUIntBE(at, BYTES));
    }
  }
  return places;
}
