import { MOST_FUNCTIONS, MOST_TAG_CHARACTERS } from '../wire/functions-frames.ts';
import { mayBeCut } from '../wire/handshake.ts';
import type { PeerRecord } from './link.ts';

/** What changed in the functions of a peer. */
export interface FunctionsChange {
  added: string[];
  removed: string[];
}

/**
 * Takes over what a `functions` frame says; what is known already is no change. Undefined when it then has more functions
 * than a peer may have.
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

/** What leads from one list of tags to another. */
export function differenceOf(before: readonly string[], after: readonly string[]): FunctionsChange {
  const [had, has] = [new Set(before), new Set(after)];
  return { added: after.filter((tag) => !had.has(tag)), removed: before.filter((tag) => !has.has(tag)) };
}

/**
 * Takes over what the handshake of one more connection says of a peer that is known already. When the one before it is
 * broken or in doubt, frames on it may have been lost, and what is not told any more is gone. Otherwise those frames are
 * newer than the handshake, which began before it was known that there would be two.
 */
export function functionsOfHandshake(
  record: PeerRecord,
  tags: readonly string[],
): FunctionsChange | undefined {
  const inDoubt = record.link === undefined || record.doubt !== undefined;
  const told = new Set(tags);
  // What had no room in the handshake follows in a frame; better to keep one too many than to lose them for a moment.
  const gone = inDoubt && !mayBeCut(tags) ? [...record.functions].filter((tag) => !told.has(tag)) : [];
  return changeFunctions(record, { added: [...tags], removed: gone });
}
