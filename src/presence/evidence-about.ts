import type { AnyActorRef } from 'xstate';

import { Evidence } from '../connection/evidence.ts';
import { evidenceOf } from '../connection/findings.ts';
import type { LivenessRef } from '../connection/liveness.ts';
import type { Candidate } from './candidate.ts';
import type { DiscoveryContext } from './discovery-context.ts';
import { droppedText } from './dropped-hints.ts';

/** The evidence about the peer with this id; undefined for one that was never heard of, or only long ago. */
export function evidenceAbout(id: string, system: AnyActorRef['system']): Evidence | undefined {
  const discovery = system.get('discovery') as AnyActorRef | undefined;
  // The peer has stopped.
  if (!discovery) return undefined;
  const context = discovery.getSnapshot().context as DiscoveryContext;
  const candidate = context.candidates.get(id);
  if (candidate?.record) return evidenceOf(candidate.record, system.get('liveness') as LivenessRef);
  const dropped = droppedText(context, id);
  const known = evidenceOfAbsence(candidate, context.departed.get(id));
  if (dropped === undefined) return known;
  return known ? known.and(dropped) : new Evidence('sought', { detail: dropped });
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
