import type { Announcement } from '../../providers/provider.ts';
import type { Candidate } from './candidate.ts';
import type { DiscoveryContext } from '../discovery-context.ts';
import { isOfTheCore } from './retrying.ts';

/** When the first search of a peer is over. */

/** It is over if there was no new hint for this long, in ms. */
export const QUIET = 250;

/** The same, in ms, if there was no hint at all. It is longer, so that peers that start at the same instant see each other. */
export const QUIET_ALONE = 750;

/**
 * It is over after four times this time in any case, in ms. The time is counted in quarters, so that a stall of this process
 * counts as one of them at most: what it had no time to read proves nothing.
 */
export const QUARTER_OF_SEARCH = 1_250;

export function searchHasEnded(context: DiscoveryContext): boolean {
  const { quiet, overdue, scanning } = context;
  return overdue >= 4 || (quiet && scanning.size === 0 && isEverybodyTried(context));
}

/**
 * How long to wait for new hints, in ms. The wait is for peers that start at the same instant and search for each other. A peer
 * that is not announced only searches for peers that are already there.
 */
export function quietTime({ addresses }: Announcement, otherwise: number): number {
  return addresses.length === 0 ? 0 : otherwise;
}

/** Whether everybody that is to be dialled was dialled, and somebody has told whom it knows. */
function isEverybodyTried(context: DiscoveryContext): boolean {
  const { carrier, candidates } = context;
  if (!carrier) return true;
  if (carrier.isWaitingForOthers) return false;
  for (const candidate of candidates.values()) {
    if (candidate.tried) continue;
    if (!isOfTheCore(context, candidate) || carrier.core.isSought(candidate.id)) return false;
  }
  return true;
}

/** Whether the candidate should still be dialled: things may have changed while it waited. */
export function isToBeDialled(context: DiscoveryContext, candidate: Candidate): boolean {
  const { candidates, stopping, carrier } = context;
  if (stopping || candidates.get(candidate.id) !== candidate) return false;
  if (candidate.state !== 'seen' && candidate.state !== 'left') return false;
  if (candidate.isWanted) return candidate.hints.size + candidate.told.length > 0;
  // Somebody has told of it meanwhile, so that a hint at it need not be tried.
  return candidate.hints.size > 0 && !carrier?.core.get(candidate.id);
}
