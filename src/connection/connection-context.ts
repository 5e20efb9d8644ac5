import type { ActorRef, Snapshot } from 'xstate';

import type { Log } from '../base/log.ts';
import type { Address } from '../transport/address.ts';
import type { Transport } from '../transport/transport.ts';
import type { Dialled } from './dial/dialing.ts';
import type { HandshakeDependencies } from './dial/handshaking.ts';
import type { Link, PeerRecord } from './link.ts';
import type { LivenessRef } from './liveness.ts';
import type { ConnectionFailure, ToCaller, ToDispatcher, ToDiscovery, ToEvents } from './messages.ts';
import type { LinkLimits } from './unread.ts';

/** What a connection knows. */

/** An actor as a connection knows it: by what it may be told. */
type Told<Message extends { type: string }> = ActorRef<Snapshot<unknown>, Message>;

/** What all connections of a peer work with: one object, since there may be thousands of connections. */
export interface ConnectionServices {
  /** How long the fresh dial may take that decides about a silent peer, in ms. */
  readonly probeTime: number;
  readonly transport: Transport;
  readonly handshake: HandshakeDependencies;
  /** Bytes. */
  readonly largestMessage: number;
  readonly limits: LinkLimits;
  readonly caller: Told<ToCaller>;
  readonly dispatcher: Told<ToDispatcher>;
  readonly events: Told<ToEvents>;
  readonly liveness: LivenessRef;
  readonly discovery: Told<ToDiscovery>;
  /** Where a peer that has joined can be dialled afresh, as far as discovery knows. */
  whereabouts(id: string): readonly Address[];
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
