import type { DiscoveryContext } from './discovery-context.ts';
import type { LeaveReason } from '../connection/link/evidence.ts';
import type { PeerRecord } from '../connection/link/link.ts';

/** How many departed peers are remembered: the incarnations that said goodbye, and the evidence for each leave. */
const MOST = 1_024;

/**
 * Remembers a peer that left, and its evidence. Unless the peer was lost, it also remembers that this life is over, so that no
 * old hint revives it. Only the newest are kept, because hints do not live long.
 */
export function bury({ gone, departed }: DiscoveryContext, record: PeerRecord, why: LeaveReason): void {
  if (why === 'stopped' || why === 'replaced') {
    gone.add(record.incarnation);
    dropOldest(gone);
  }
  departed.delete(record.id);
  departed.set(record.id, record.evidence!);
  dropOldest(departed);
}

function dropOldest(remembered: Set<string> | Map<string, unknown>): void {
  const [oldest] = remembered.keys();
  if (oldest !== undefined && remembered.size > MOST) remembered.delete(oldest);
}
