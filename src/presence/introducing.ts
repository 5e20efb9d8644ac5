import { peerList } from '../providers/peer-list.ts';
import type { Hint } from '../providers/hint.ts';
import { encodeFrame } from '../wire/codec.ts';
import type { Candidate } from './candidate.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import type { Link } from '../connection/link.ts';

/**
 * How peers that know only a seed find each other: who dialled an address tells whoever answered where it is itself,
 * and is told whom the other one knows. Of two that come to one seed the later one hears of the earlier.
 */

/** Part of what the other side takes in one message: the list is no reason for it to end the connection. */
const SHARE = 1 / 4;

/** Tells the other side where this peer is, which asks it for all that it knows. */
export function ask({ self }: DiscoveryContext, link: Link): void {
  tell(link, [self!]);
}

/** Tells the other side where this peer is, and whom it is connected to. */
export function answer({ self, candidates }: DiscoveryContext, link: Link): void {
  const others = [...candidates.values()].filter(({ id }) => id !== link.record.id);
  tell(link, [self!, ...others.flatMap(placeOf)]);
}

/** The peer that answered at one of our seeds. */
export function isSeed({ candidates }: DiscoveryContext, id: string): boolean {
  return [...candidates.values()].some(({ answeredBy }) => answeredBy === id);
}

function tell(link: Link, known: Hint[]): void {
  if (link.toldPeers) return;
  link.toldPeers = true;
  const peers = peerList(known, link.socket.scope, link.limits.message * SHARE);
  link.send(encodeFrame({ type: 'peers', peers }));
}

/** Only who is connected at this moment, and only what was said of this life. */
function placeOf({ record, hints }: Candidate): Hint[] {
  if (!record) return [];
  const { id, incarnation } = record;
  const right = [...hints.values()].filter((hint) => hint.incarnation === incarnation);
  const addresses = right.flatMap((hint) => hint.addresses.concat(hint.beyond ?? []));
  return [{ id, incarnation, addresses }];
}
