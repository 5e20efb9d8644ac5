import type { AnyActorRef } from 'xstate';

import { Evidence } from '../connection/link/evidence.ts';
import { evidenceOf } from '../connection/findings.ts';
import type { LivenessRef } from '../connection/liveness.ts';
import type { Candidate } from './candidates/candidate.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import { droppedText } from './candidates/dropped-hints.ts';

/** The evidence about the peer with this id; undefined for one that was never heard of, or only long ago. */
export function evidenceAbout(id: string, system: AnyActorRef['system']): Evidence | undefined {
  const discovery = system.get('discovery') as AnyActorRef | undefined;
  // The peer has stopped.
  if (!discovery) return undefined;
  const context = discovery.getSnapshot().context as DiscoveryContext;
  const candidate = context.candidates.get(id);
  const record = context.carrier?.record(id) ?? candidate?.record;
  if (record?.link || record?.doubt) return evidenceOf(record, system.get('liveness') as LivenessRef);
  if (record) return new Evidence('alive', { detail: vouchersText(context, id) });
  const dropped = droppedText(context, id);
  const known = evidenceOfAbsence(candidate, context.departed.get(id));
  if (dropped === undefined) return known;
  return known ? known.and(dropped) : new Evidence('sought', { detail: dropped });
}

/** Who says that a peer is present to which this peer has no link. */
function vouchersText({ carrier, candidates }: DiscoveryContext, id: string): string {
  const by = carrier!.core.toldBy(id);
  const name = by === undefined ? undefined : (carrier!.record(by)?.name ?? by);
  const failures = candidates.get(id)?.failures ?? 0;
  const word = name === undefined ? 'it was linked, and nobody has lost it' : `present by word of ${name}`;
  return failures === 0 ? word : `${word}, ${failedDials(candidates.get(id)!)}`;
}

function evidenceOfAbsence(
  candidate: Candidate | undefined,
  gone: Evidence | undefined,
): Evidence | undefined {
  if (!candidate) return gone;
  if (!gone) {
    const detail = `hinted at by ${[...candidate.hints.keys()].join(', ')}, ${failedDials(candidate)}`;
    return new Evidence('sought', { detail });
  }
  return candidate.failures === 0 ? gone : gone.and(`then ${failedDials(candidate)}`);
}

function failedDials({ failures, error }: Candidate): string {
  const count = `${failures} ${failures === 1 ? 'dial' : 'dials'} failed`;
  return error instanceof Error ? `${count}: ${error.message}` : count;
}
