import type { Announcement } from '../providers/provider.ts';
import type { DiscoveryContext } from './discovery-context.ts';

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

export function searchHasEnded({ quiet, overdue, scanning, candidates }: DiscoveryContext): boolean {
  if (overdue >= 4) return true;
  return quiet && scanning.size === 0 && [...candidates.values()].every((each) => each.tried);
}

/**
 * How long to wait for new hints, in ms. The wait is for peers that start at the same instant and search for each other. A peer
 * that is not announced only searches for peers that are already there.
 */
export function quietTime({ addresses }: Announcement, otherwise: number): number {
  return addresses.length === 0 ? 0 : otherwise;
}
