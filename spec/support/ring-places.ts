import { createHmac } from 'node:crypto';

export const RINGS = 6;

const places = new Map<string, readonly number[]>();

/** Where an id stands on each ring. */
export function placesOf(id: string): readonly number[] {
  let known = places.get(id);
  if (!known) {
    const digest = createHmac('sha256', 'a ring key').update(id).digest();
    known = Array.from({ length: RINGS }, (_, ring) => digest.readUIntBE(ring * 5, 5));
    places.set(id, known);
  }
  return known;
}
