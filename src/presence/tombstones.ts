import type { DiscoveryContext } from './discovery-context.ts';
import type { LeaveReason } from '../connection/evidence.ts';
import type { PeerRecord } from '../connection/link.ts';

/** How many that left are remembered: the incarnations that said goodbye, and why peers were held for gone. */
const MOST = 1_024;

/**
 * Remembers one that left: why, for those who ask; and, unless it was just lost, that this life of it is over, so that
 * no old hint revives it. The newest only, for hints do not live long.
 */
export function bury({ gone, departed }: DiscoveryContext, record: PeerRecord, why: LeaveReason): void {
  if (why !== 'lost') {
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
