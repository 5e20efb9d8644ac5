import type { AnyActorRef } from 'xstate';

import type { Candidate } from '../presence/candidate.ts';
import type { DiscoveryContext } from '../presence/discovery-context.ts';
import { droppedText } from '../presence/dropped-hints.ts';
import type { LivenessRef } from './liveness.ts';
import type { LeaveReason, PeerRecord } from './peer-record.ts';

/** What became of the fresh dial that decides about a silent peer. */
export type Redial = 'under way' | 'refused' | 'timed out' | 'failed' | 'no address known';

/** What is known about a peer at a moment; times in ms. */
export interface Findings {
  /** Since the last byte of it arrived. */
  silent?: number | undefined;
  /** The longest that this process' own event loop was late in that time: what it missed is no evidence. */
  ownLag?: number | undefined;
  redial?: Redial | undefined;
  /** What else is known, in words: a close code, the error of a dial. */
  detail?: string | undefined;
  /** Of one that is gone. */
  why?: LeaveReason | undefined;
}

/**
 * Why a peer is held for alive, suspect or gone; for people who debug networks.
 *
 * @example
 * peers.on('leave', (peer, why, evidence) => console.log(`${peer.name} is gone: ${evidence}`));
 * // worker:4711 is gone: silent 6.0 s, own lag 12 ms, redial refused
 */
export class Evidence implements Findings {
  /**
   * `alive`: a connection is open and bytes arrive. `suspect`: silent for too long, and a fresh dial is under way.
   * `gone`: it left. `sought`: somebody hinted at it, and it has not joined so far.
   */
  readonly held: 'alive' | 'suspect' | 'gone' | 'sought';
  readonly silent: number | undefined;
  readonly ownLag: number | undefined;
  readonly redial: Redial | undefined;
  readonly detail: string | undefined;
  readonly why: LeaveReason | undefined;

  constructor(held: Evidence['held'], { silent, ownLag, redial, detail, why }: Findings) {
    this.held = held;
    this.silent = silent;
    this.ownLag = ownLag;
    this.redial = redial;
    this.detail = detail;
    this.why = why;
  }

  /** The whole in words, such as `silent 6.0 s, own lag 12 ms, redial refused`. */
  get text(): string {
    const parts: string[] = [];
    if (this.silent !== undefined) parts.push(`silent ${(this.silent / 1_000).toFixed(1)} s`);
    if (this.ownLag !== undefined) parts.push(`own lag ${Math.round(this.ownLag)} ms`);
    if (this.detail !== undefined) parts.push(this.detail);
    if (this.redial !== undefined) parts.push(`redial ${this.redial}`);
    return parts.join(', ');
  }

  /** @internal The same, and something more that is known. */
  and(more: string): Evidence {
    const { held, silent, ownLag, redial, detail, why } = this;
    const details = detail === undefined ? more : `${detail}, ${more}`;
    return new Evidence(held, { silent, ownLag, redial, detail: details, why });
  }

  toString(): string {
    return this.text;
  }
}

/** What is known of the peer with this id; undefined for one that was never heard of, or long ago. */
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

/** What is known of a peer that has joined: now, or when it left. */
export function evidenceOf(record: PeerRecord, liveness: LivenessRef): Evidence {
  if (record.evidence) return record.evidence;
  return new Evidence(record.doubt ? 'suspect' : 'alive', findingsOf(record, liveness));
}

/** The same as bare findings. */
export function findingsOf({ link, doubt }: PeerRecord, liveness: LivenessRef): Findings {
  return { ...doubt, ...(link && liveness.getSnapshot().context.findings(link)) };
}
