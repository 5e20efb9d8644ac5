import { Evidence } from './evidence.ts';
import type { Findings } from './evidence.ts';
import type { PeerRecord } from './link.ts';
import type { LivenessRef } from './liveness.ts';

/** What is known of a peer that has joined: now, or when it left. */
export function evidenceOf(record: PeerRecord, liveness: LivenessRef): Evidence {
  if (record.evidence) return record.evidence;
  return new Evidence(record.doubt ? 'suspect' : 'alive', findingsOf(record, liveness));
}

/** The same as bare findings. */
export function findingsOf({ link, doubt }: PeerRecord, liveness: LivenessRef): Findings {
  return { ...doubt, ...(link && liveness.getSnapshot().context.findings(link)) };
}
