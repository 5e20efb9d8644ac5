import { CLOSE } from '../wire/frames.ts';
import { Evidence } from './link/evidence.ts';
import type { Findings } from './link/evidence.ts';
import type { PeerRecord } from './link/link.ts';
import type { LivenessRef } from './liveness.ts';

/** The finding about a peer whose link through NATS ended because its broker knows of nobody there. */
export const NOBODY_AT_NATS = 'NATS says that nobody is there';

/** The evidence about a peer that has joined: as of now, or as of its leave. */
export function evidenceOf(record: PeerRecord, liveness: LivenessRef): Evidence {
  if (record.evidence) return record.evidence;
  return new Evidence(record.doubt ? 'suspect' : 'alive', findingsOf(record, liveness));
}

/** The present findings about a peer that has joined. */
export function findingsOf({ link, doubt }: PeerRecord, liveness: LivenessRef): Findings {
  return { ...doubt, ...(link && liveness.getSnapshot().context.findings(link)) };
}

/** The end of a link, in words. @param isGuest whether this peer has a pass */
export function closedBy(code: number, isGuest: boolean): string {
  if (code === CLOSE.GONE) return NOBODY_AT_NATS;
  // For this side the handshake had succeeded, so it took too long for the other one.
  if (code === CLOSE.HANDSHAKE)
    return isGuest
      ? 'the pass of this peer has expired or was revoked'
      : `the other side ended the handshake (${code})`;
  return code === CLOSE.NETWORK ? 'the connection through NATS broke' : `the connection closed (${code})`;
}
