import type { AnyActorRef } from 'xstate';

import type { HostProcess } from '../base/process/host-process.ts';
import type { Clock } from '../base/time/clock.ts';
import type { Announcement } from '../providers/provider.ts';
import type { Hint } from '../providers/hint.ts';
import type { Log } from '../base/log.ts';
import type { Address } from '../transport/address.ts';
import type { PeerRecord } from '../connection/link/link.ts';
import type { Candidate } from './candidates/candidate.ts';
import type { Carrier } from './carrier.ts';
import type { DialTurns } from './candidates/dial-turns.ts';
import type { Evidence } from '../connection/link/evidence.ts';
import type { OtherSecrets } from './other-secrets.ts';
import type { OwnPresence } from './exchange/own-presence.ts';

/** The context of discovery. */

export interface DiscoveryInput {
  /** The actor of the peer, which owns the connections. */
  peer: AnyActorRef;
  clock: Clock;
  /** From 0 to 1. */
  random: () => number;
  log: Log;
  process: Pick<HostProcess, 'isRunning'>;
  own: OwnPresence;
  /** Links that a peer keeps whether or not it uses them. */
  neighbours: number;
  /** Whether this peer has a pass, and so is told nothing of others. */
  isGuest: boolean;
}

export interface DiscoveryContext extends DiscoveryInput {
  self: Announcement | undefined;
  /** Who is present; undefined before the peer listens. Changed in place. */
  carrier: Carrier | undefined;
  /**
   * By peer id, or by address if only that is known. The map and its values are changed in place: there can be hundreds, and they
   * change often.
   */
  candidates: Map<string, Candidate>;
  /** Peers that have another secret. Changed in place. */
  otherSecrets: OtherSecrets;
  /** Incarnations that said goodbye. A hint at one of them is old. Changed in place. */
  gone: Set<string>;
  /** The evidence about the peers that left last, by id. Changed in place. */
  departed: Map<string, Evidence>;
  /** The running dials, and the candidates that wait. Changed in place. */
  turns: DialTurns;
  /** Linked peers that could do without a link, and how many looks long nothing has happened on it. Changed in place. */
  unused: Map<PeerRecord, { looks: number; made: number; taken: number }>;
  /** Peers linked through a broker: in how many looks a direct link is tried, and the pause before that. Changed in place. */
  detours: WeakMap<PeerRecord, { looks: number; pause: number }>;
  /** The provider that has not announced this peer yet, if its start waits for that: other peers cannot find it there. */
  announcing: string | undefined;
  /** Hints at peers of this host, by id, until the first scan is over or has taken too long. Changed in place. */
  early: Map<string, Hint>;
  late: boolean;
  /** Providers whose first search is not over yet. */
  scanning: ReadonlySet<string>;
  /** Running providers. */
  providers: ReadonlySet<string>;
  /** There was no new hint for a while. */
  quiet: boolean;
  /** Quarters of the longest search that are over. */
  overdue: number;
  stopping: boolean;
  /** Hints with a wrong tag that were dropped. Changed in place. */
  dropped: Map<string, { count: number; address: Address }>;
  /** Why a provider does not work, by its name. */
  degraded: Readonly<Record<string, unknown>>;
}
