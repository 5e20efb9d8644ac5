import type { AnyActorRef } from 'xstate';

import type { Clock } from '../base/clock.ts';
import type { Announcement } from '../providers/provider.ts';
import type { Log } from '../base/log.ts';
import type { Address } from '../transport/address.ts';
import type { Candidate } from './candidate.ts';
import type { DialTurns } from './dial-turns.ts';
import type { Evidence } from '../connection/evidence.ts';

/** What discovery knows. */

export interface DiscoveryInput {
  /** The peer's actor, which owns the connections. */
  peer: AnyActorRef;
  clock: Clock;
  /** From 0 to 1. */
  random: () => number;
  log: Log;
}

export interface DiscoveryContext extends DiscoveryInput {
  self: Announcement | undefined;
  /**
   * By peer id, or by address when that is all that is known. The map and what is in it are changed in place: there can
   * be hundreds, and they change often.
   */
  candidates: Map<string, Candidate>;
  /** Incarnations that said goodbye: a hint at one of them is old. Changed in place. */
  gone: Set<string>;
  /** Why those that left last were held for gone, by id. Changed in place. */
  departed: Map<string, Evidence>;
  /** Who is being dialled, and who is next. Changed in place. */
  turns: DialTurns;
  /** Others of this host cannot find this peer yet. */
  announcing: boolean;
  /** Providers that have not told everything yet. */
  scanning: ReadonlySet<string>;
  /** Providers that run. */
  providers: ReadonlySet<string>;
  /** Nothing new was hinted at for a while. */
  quiet: boolean;
  overdue: boolean;
  stopping: boolean;
  /** Hints with a wrong tag that were dropped. Changed in place. */
  dropped: Map<string, { count: number; address: Address }>;
  /** Why a provider cannot work here, or not at present, by its name. */
  degraded: Readonly<Record<string, unknown>>;
}
