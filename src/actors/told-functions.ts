import { mayBeCut } from '../wire/handshake.ts';
import type { PeerRecord } from './peer-record.ts';

/** What changed in the functions of a peer. */
export interface FunctionsChange {
  added: string[];
  removed: string[];
}

/** Takes over what a `functions` frame says; what is known already is no change. */
export function changeFunctions({ functions }: PeerRecord, told: FunctionsChange): FunctionsChange {
  const added = told.added.filter((tag) => !functions.has(tag));
  const removed = told.removed.filter((tag) => functions.has(tag));
  for (const tag of added) functions.add(tag);
  for (const tag of removed) functions.delete(tag);
  return { added, removed };
}

/**
 * Takes over what the handshake of one more connection says of a peer that is known already. When the one before it is
 * broken or in doubt, frames on it may have been lost, and what is not told any more is gone. Otherwise those frames are
 * newer than the handshake, which began before it was known that there would be two.
 */
export function functionsOfHandshake(record: PeerRecord, tags: readonly string[]): FunctionsChange {
  const inDoubt = record.link === undefined || record.doubt !== undefined;
  const told = new Set(tags);
  // What had no room in the handshake follows in a frame; better to keep one too many than to lose them for a moment.
  const gone = inDoubt && !mayBeCut(tags) ? [...record.functions].filter((tag) => !told.has(tag)) : [];
  return changeFunctions(record, { added: [...tags], removed: gone });
}
