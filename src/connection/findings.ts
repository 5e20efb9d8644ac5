import { Evidence } from './evidence.ts';
import type { Findings } from './evidence.ts';
import type { PeerRecord } from './link.ts';
import type { LivenessRef } from './liveness.ts';

/** The evidence about a peer that has joined: as of now, or as of its leave. */
export function evidenceOf(record: PeerRecord, liveness: LivenessRef): Evidence {
  if (record.evidence) return record.evidence;
  return new Evidence(record.doubt ? 'suspect' : 'alive', findingsOf(record, liveness));
}

/** The present findings about a peer that has joined. */
export function findingsOf({ link, doubt }: PeerRecord, liveness: LivenessRef): Findings {
  return { ...doubt, ...(link && liveness.getSnapshot().context.findings(link)) };
}
