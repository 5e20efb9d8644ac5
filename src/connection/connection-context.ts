import type { ActorRef, Snapshot } from 'xstate';

import type { Log } from '../base/log.ts';
import type { Address } from '../transport/address.ts';
import type { Transport } from '../transport/transport.ts';
import type { Dialled } from './dial/dialing.ts';
import type { HandshakeDependencies } from './dial/handshaking.ts';
import type { Guests } from './guests.ts';
import type { Link, PeerRecord } from './link/link.ts';
import type { LinkCounts } from './link/link-counts.ts';
import type { LivenessRef } from './liveness.ts';
import type { ConnectionFailure, ToCaller, ToDispatcher, ToDiscovery, ToEvents } from './messages.ts';
import type { LinkLimits } from './link/unread.ts';

/** The context of the machine of a connection. */

/** An actor, as a connection sees it: only by the messages that it takes. */
type Told<Message extends { type: string }> = ActorRef<Snapshot<unknown>, Message>;

/** Everything that all connections of a peer share. It is one object, because there may be thousands of connections. */
export interface ConnectionServices {
  /** How long the new dial that decides about a silent peer may take, in ms. */
  readonly probeTime: number;
  readonly transport: Transport;
  readonly handshake: HandshakeDependencies;
  /** Bytes. */
  readonly largestMessage: number;
  readonly limits: LinkLimits;
  readonly counts: LinkCounts;
  readonly guests: Guests;
  readonly caller: Told<ToCaller>;
  readonly dispatcher: Told<ToDispatcher>;
  readonly events: Told<ToEvents>;
  readonly liveness: LivenessRef;
  readonly discovery: Told<ToDiscovery>;
  /** The record of this life, if discovery knows it as present. */
  recordOf(id: string, incarnation: string): PeerRecord | undefined;
  /** Whether a link to it is to be kept, used or not. */
  needs(record: PeerRecord): boolean;
  /** Where discovery thinks that a joined peer can be dialled again. */
  whereabouts(id: string): readonly Address[];
  readonly log: Log;
}

export interface ConnectionInput {
  /** The id of the peer, or `host:port` if only an address is known. */
  id: string;
  /** The addresses to dial, in this order; empty if a session arrives instead. */
  addresses: readonly Address[];
  /** How often a connection to this peer was lost before. */
  generation: number;
  services: ConnectionServices;
}

export interface ConnectionContext extends ConnectionInput {
  /** The socket, from the dial to the end of the handshake, and the other addresses that may lead to the peer. */
  dialled: Dialled | undefined;
  /** The present peer; undefined before the first link and after the peer has left. */
  record: PeerRecord | undefined;
  /** All open links, mostly one. */
  links: readonly Link[];
  failure: ConnectionFailure | undefined;
}
