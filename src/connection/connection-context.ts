import type { AnyActorRef } from 'xstate';

import type { Log } from '../base/log.ts';
import type { Address } from '../transport/address.ts';
import type { Socket, Transport } from '../transport/transport.ts';
import type { CallerRef } from '../calls/caller/caller.ts';
import type { DispatcherRef } from '../calls/callee/dispatcher.ts';
import type { EventsRef } from '../events/events.ts';
import type { HandshakeDependencies } from './handshaking.ts';
import type { Link } from './link.ts';
import type { LivenessRef } from './liveness.ts';
import type { ConnectionFailure } from './messages.ts';
import type { PeerRecord } from './link.ts';
import type { LinkLimits } from './unread.ts';

/** What a connection knows. */

/** What all connections of a peer work with: one object, since there may be thousands of connections. */
export interface ConnectionServices {
  /** How long the fresh dial may take that decides about a silent peer, in ms. */
  readonly probeTime: number;
  readonly transport: Transport;
  readonly handshake: HandshakeDependencies;
  /** Bytes. */
  readonly largestMessage: number;
  readonly limits: LinkLimits;
  readonly caller: CallerRef;
  readonly dispatcher: DispatcherRef;
  readonly events: EventsRef;
  readonly liveness: LivenessRef;
  readonly discovery: AnyActorRef;
  readonly log: Log;
}

export interface ConnectionInput {
  /** The peer's; or `host:port` when only an address is known. */
  id: string;
  /** Where to dial, in this order; empty when a session arrives instead. */
  addresses: readonly Address[];
  /** How often a connection to this peer was lost before. */
  generation: number;
  services: ConnectionServices;
}

export interface ConnectionContext extends ConnectionInput {
  /** A socket between dialling and the end of its handshake. */
  socket: Socket | undefined;
  /** Addresses that may still lead to the peer. */
  untried: readonly Address[];
  /** Addresses where nobody listens. */
  refused: readonly Address[];
  /** The peer as it is now; undefined before the first link and after the peer has left. */
  record: PeerRecord | undefined;
  /** Every open link: mostly one. */
  links: readonly Link[];
  failure: ConnectionFailure | undefined;
}
