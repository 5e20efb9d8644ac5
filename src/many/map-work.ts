import { attempt, beginAny } from '../calls/call-message.ts';
import type { Attempted } from '../calls/call-message.ts';
import { outerCall } from '../calls/context.ts';
import type { GivenStreams } from '../calls/streams/given-streams.ts';
import type { CallOptions, RemotePeer } from '../presence/set/remote-peer.ts';
import type { Candidates } from './candidates.ts';
import type { Attempts } from './retry.ts';

/** One input of `map`, from the moment it is taken to its result. */

export interface Work {
  readonly index: number;
  readonly input: unknown;
  readonly args: readonly unknown[];
  /** The arguments that are streams. */
  readonly given: GivenStreams | undefined;
  readonly attempts: Attempts;
  /** When it fails at the latest, on the clock; Infinity until a peer gets it. */
  end: number;
  /** Set with the first attempt, if somebody may want to follow it. */
  any: Attempted | undefined;
  /** The peer that had it last. */
  peer: RemotePeer | undefined;
}

export type Rejected = Pick<Work, 'index' | 'input' | 'peer'> & Partial<Pick<Work, 'given' | 'any'>>;

/** Gives the input to a peer. */
export function makeAttempt(
  work: Work,
  { tag, pool }: Candidates,
  peer: RemotePeer,
  options: CallOptions,
): Promise<unknown> {
  const make = (): Promise<unknown> => peer.callWith(work.given, tag, work.args, options);
  work.any ??= beginAny('map', pool.id, tag, outerCall()?.travels);
  return work.any ? attempt(work.any, make) : make();
}
