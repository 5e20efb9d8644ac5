import { peerList } from '../providers/peer-list.ts';
import type { Hint } from '../providers/hint.ts';
import { encodeFrame } from '../wire/codec.ts';
import type { Candidate } from './candidate.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import type { Link } from '../connection/link.ts';

/**
 * How peers that know only a seed find each other. A peer that dialled a bare address sends its own addresses, and gets the list
 * of peers that the other side knows. If two peers come to one seed, the later one hears of the earlier.
 */

/** The list takes at most this fraction of the other side's message limit, so that it never exceeds that limit. */
const SHARE = 1 / 4;

/** Sends this peer's own addresses, which asks the other side for its list. */
export function ask({ self }: DiscoveryContext, link: Link): void {
  tell(link, [self!]);
}

/** Sends this peer's own addresses, and the peers to which it is connected. */
export function answer({ self, candidates }: DiscoveryContext, link: Link): void {
  const others = [...candidates.values()].filter(({ id }) => id !== link.record.id);
  tell(link, [self!, ...others.flatMap(placeOf)]);
}

/** Whether this peer answered at one of our seeds. */
export function isSeed({ candidates }: DiscoveryContext, id: string): boolean {
  return [...candidates.values()].some(({ answeredBy }) => answeredBy === id);
}

function tell(link: Link, known: Hint[]): void {
  if (link.toldPeers) return;
  link.toldPeers = true;
  const peers = peerList(known, link.socket.scope, link.limits.message * SHARE);
  link.send(encodeFrame({ type: 'peers', peers }));
}

/** The addresses of a candidate: only if it is connected now, and only from hints at its present life. */
function placeOf({ record, hints }: Candidate): Hint[] {
  if (!record) return [];
  const { id, incarnation } = record;
  const right = [...hints.values()].filter((hint) => hint.incarnation === incarnation);
  const addresses = right.flatMap((hint) => hint.addresses.concat(hint.beyond ?? []));
  return [{ id, incarnation, addresses }];
}
