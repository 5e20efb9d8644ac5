import type { AnyActorRef } from 'xstate';

import type { Log } from '../log.ts';
import type { Address } from '../transport/address.ts';
import type { Transport } from '../transport/transport.ts';
import type { Dialled } from './dialing.ts';
import type { CallerRef } from './caller.ts';
import type { DispatcherRef } from './dispatcher.ts';
import type { EventsRef } from './events.ts';
import type { HandshakeDependencies } from './handshaking.ts';
import type { Link } from './link.ts';
import type { LivenessRef } from './liveness.ts';
import type { ConnectionFailure } from './messages.ts';
import type { PeerRecord } from './peer-record.ts';
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
  /** The socket between dialling and the end of the handshake, and the addresses that may lead to the peer as well. */
  dialled: Dialled | undefined;
  /** The peer as it is now; undefined before the first link and after the peer has left. */
  record: PeerRecord | undefined;
  /** Every open link: mostly one. */
  links: readonly Link[];
  failure: ConnectionFailure | undefined;
}
