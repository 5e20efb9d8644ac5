import type { PeerRecord } from '../connection/link/link.ts';
import { addressesOf, createCandidate, dialOf, dropHints } from './candidates/candidate.ts';
import type { Candidate } from './candidates/candidate.ts';
import type { PresenceChange } from './carrier.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import type { Hands } from './hands.ts';
import { retryItsAddresses } from './candidates/retrying.ts';
import { bury } from './tombstones.ts';

/** What discovery does about each change that the core of presence reports. */

export function carryOut(context: DiscoveryContext, changes: readonly PresenceChange[], hands: Hands): void {
  for (const change of changes) {
    switch (change.type) {
      case 'dial':
        wantLink(context, candidateOf(context, change.id), hands);
        break;
      case 'joined':
        joined(context, change.record, hands);
        break;
      case 'changed': {
        const { record, added, removed } = change;
        context.log.functionsChanged(record, added, removed);
        hands.emit({ type: 'peer.changed', record, added, removed });
        break;
      }
      case 'left':
        left(context, change, hands);
        break;
    }
  }
}

export function candidateOf({ candidates }: DiscoveryContext, id: string): Candidate {
  let candidate = candidates.get(id);
  if (!candidate) candidates.set(id, (candidate = createCandidate(id)));
  return candidate;
}

/** Dials the peer as soon as it is its turn, unless it is linked, or is about to be. */
export function wantLink(context: DiscoveryContext, candidate: Candidate, hands: Hands): void {
  if (context.stopping) return;
  candidate.isWanted = true;
  // It is `up` for a moment after its link has closed. If its connection ends without another link, it is dialled then.
  if (candidate.state === 'up' || candidate.state === 'dialing' || candidate.state === 'suspect') return;
  const member = context.carrier?.core.get(candidate.id);
  if (member) candidate.told = member.addresses;
  if (addressesOf(candidate).length === 0) {
    // It is dialled when the provider has found its address.
    for (const provider of candidate.hints.keys())
      hands.toProvider(provider, { type: 'hint.wanted', id: candidate.id });
    return;
  }
  if (!context.turns.take(candidate)) return;
  hands.toPeer(dialOf(candidate));
}

function joined(context: DiscoveryContext, record: PeerRecord, hands: Hands): void {
  const candidate = candidateOf(context, record.id);
  candidate.told = context.carrier!.core.get(record.id)?.addresses ?? [];
  candidate.tried = true;
  // Its address is told now, so nobody need look it up.
  if (candidate.isWanted) wantLink(context, candidate, hands);
  context.log.joined(record);
  hands.toEvents({ type: 'peer.joined', record });
  hands.emit({ type: 'peer.joined', record });
}

function left(
  context: DiscoveryContext,
  { record, why }: Extract<PresenceChange, { type: 'left' }>,
  hands: Hands,
): void {
  const candidate = context.candidates.get(record.id);
  if (candidate) {
    if (why !== 'unreachable') candidate.told = [];
    if (candidate.state === 'suspect') hands.toConnection(record.id, { type: 'dial.stop' });
    if (candidate.record === record) {
      candidate.state = 'left';
      candidate.record = undefined;
      candidate.generation = record.generation + 1;
    }
    if (why === 'stopped' || why === 'replaced') dropHints(candidate, record.incarnation);
  }
  context.unused.delete(record);
  retryItsAddresses(context, record.id, hands);
  bury(context, record, why);
  context.log.left(record, why);
  hands.toCaller({ type: 'peer.left', record, why });
  hands.toEvents({ type: 'peer.left', record, why });
  hands.emit({ type: 'peer.left', record, why });
}
