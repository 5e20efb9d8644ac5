import { MOST_FUNCTIONS, MOST_TAG_CHARACTERS } from '../../wire/functions-frames.ts';
import { mayBeCut } from '../../wire/handshake/handshake.ts';
import type { PeerRecord } from './link.ts';

/** A change of a peer's functions. */
export interface FunctionsChange {
  added: string[];
  removed: string[];
}

/**
 * Applies a `functions` frame, and returns what has really changed. Undefined if the peer then has more functions than a peer may
 * have.
 */
export function changeFunctions(record: PeerRecord, told: FunctionsChange): FunctionsChange | undefined {
  const { functions } = record;
  const change: FunctionsChange = { added: [], removed: [] };
  for (const tag of told.added) {
    if (functions.has(tag)) continue;
    functions.add(tag);
    record.tagCharacters += tag.length;
    change.added.push(tag);
  }
  for (const tag of told.removed) {
    if (!functions.delete(tag)) continue;
    record.tagCharacters -= tag.length;
    change.removed.push(tag);
  }
  const isTooMuch = functions.size > MOST_FUNCTIONS || record.tagCharacters > MOST_TAG_CHARACTERS;
  return isTooMuch ? undefined : change;
}

const NO_CHANGE: FunctionsChange = { added: [], removed: [] };

/** The change from one list of tags to another. */
export function differenceOf(before: readonly string[], after: readonly string[]): FunctionsChange {
  if (before.length === after.length && before.every((tag, i) => tag === after[i])) return NO_CHANGE;
  const [had, has] = [new Set(before), new Set(after)];
  return { added: after.filter((tag) => !had.has(tag)), removed: before.filter((tag) => !has.has(tag)) };
}

/**
 * Applies the functions in the handshake of another connection to a peer that is already known. If the earlier connection is
 * broken or in doubt, frames on it may have been lost, so functions that are missing in the handshake are gone. Otherwise the
 * frames on the earlier connection are newer than this handshake, which began before the two connections knew of each other.
 */
export function functionsOfHandshake(
  record: PeerRecord,
  tags: readonly string[],
): FunctionsChange | undefined {
  const inDoubt = record.link === undefined || record.doubt !== undefined;
  const told = new Set(tags);
  // If the list may be cut, the rest follows in a frame. Keep the known functions until then, rather than lose them for a moment.
  const gone = inDoubt && !mayBeCut(tags) ? [...record.functions].filter((tag) => !told.has(tag)) : [];
  return changeFunctions(record, { added: [...tags], removed: gone });
}
