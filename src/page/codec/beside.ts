import { MOST_META } from '../../wire/beside.ts';
import type { CallMeta } from '../../wire/beside.ts';
import { encodeValue } from './encode.ts';

/**
 * The part of a frame with the `meta` of a call or an event, before its value; empty when there is none.
 * @throws TypeError for a `meta` that is not a small plain object of JSON values
 */
export function besideOf(meta: CallMeta | undefined): string {
  if (meta === undefined) return '';
  try {
    const written = encodeValue(meta, 'args', 'meta', MOST_META);
    const text = JSON.stringify(written.json);
    if (written.meta === '' && text.startsWith('{') && text.length <= MOST_META) return `,"headers":${text}`;
  } catch {
    // It cannot be sent at all, or is too large.
  }
  throw new TypeError(`meta: give a plain object of JSON values, of at most ${MOST_META} characters`);
}
