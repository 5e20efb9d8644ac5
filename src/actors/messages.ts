import type { AnyActorRef } from 'xstate';

import type { Announcement, DroppedHints, Hint } from '../discovery/provider.ts';
import type { Attachment } from '../network.ts';
import type { Address } from '../transport/address.ts';
import type { Listener, Socket } from '../transport/transport.ts';
import type {
  CancelFrame,
  CompleteFrame,
  CreditFrame,
  ErrorFrame,
  EventsFrame,
  FunctionsFrame,
  GoawayFrame,
  NextFrame,
  RequestFrame,
  ResultFrame,
  UnreadableFrame,
  WirePeer,
} from '../wire/frames.ts';
import type { Party } from '../wire/handshake.ts';
import type { SecretKeys } from '../wire/secret.ts';
import type { Call } from './call.ts';
import type { Link } from './link.ts';
import type { LeaveReason, PeerRecord } from './peer-record.ts';

/**
 * Every message between the actors, one union an actor. Facts are named for what happened (`link.closed`),
 * commands for what is wanted (`peer.stop`). `docs/states.md` says who sends which and when.
 *
 * Frames travel wrapped, as `{ type: 'frames.received', frames }`: an event made of text from the wire could call
 * itself `xstate.stop`, and would stop the actor it reaches.
 */

/** A connection on which both sides have proved themselves. */
export interface Session {
  socket: Socket;
  party: Party;
  /** The tags that the handshake told the other side. */
  told: readonly string[];
  /** Whether this side opened it. */
  dialled: boolean;
  /** How often the side that opened it had lost a connection to the other before. */
  generation: number;
}

/** What a peer has once it listens. */
export interface Opened {
  attachment: Attachment;
  keys: SecretKeys;
  listener: Listener;
}

export type PeerMessage =
  | { type: 'peer.stop' }
  | { type: 'peer.opened'; opened: Opened }
  | { type: 'peer.failed'; error: unknown }
  /** The set of functions changed. */
  | { type: 'functions.changed'; added: string[]; removed: string[] }
  /** Somebody connected to us and proved who they are. */
  | { type: 'session.arrived'; session: Session }
  /** Discovery wants a connection. `generation`: how often one to this peer was lost. */
  | { type: 'peer.dial'; id: string; addresses: readonly Address[]; generation: number }
  /** Nothing runs any more on a link of this connection. */
  | { type: 'connection.idle' }
  /** The connection actor is at its end. */
  | { type: 'connection.ended'; id: string; connection: AnyActorRef }
  /** Discovery has taken back what it announced. */
  | { type: 'discovery.stopped' }
  /** A message made it throw. */
  | { type: 'peer.broke'; error: unknown };

export type ConnectionMessage =
  | { type: 'session.arrived'; session: Session }
  | { type: 'frame.received'; link: Link; frame: FunctionsFrame | GoawayFrame }
  /** Nothing runs on a link that one side is leaving. */
  | { type: 'link.idle'; link: Link }
  /** With the close code of the WebSocket. */
  | { type: 'link.closed'; link: Link; code: number }
  /** Nothing has arrived on it for too long. */
  | { type: 'link.silent'; link: Link }
  /** After that, something has. */
  | { type: 'link.heard'; link: Link }
  | { type: 'functions.changed'; added: string[]; removed: string[] }
  /** A dial that is under way leads to the wrong place, as it is known now. */
  | { type: 'dial.stop' }
  /** This peer is stopping: say goaway and let finish what runs. */
  | { type: 'connection.drain' }
  /** Everything has finished, or the time for it is over. */
  | { type: 'connection.close' }
  /** A message made it throw. */
  | { type: 'connection.broke' };

export type DiscoveryMessage =
  /** This peer listens: announce it and begin to look. */
  | { type: 'discovery.start'; self: Announcement; opened: Opened }
  | { type: 'discovery.stop' }
  | { type: 'provider.found'; provider: string; hint: Hint }
  | { type: 'provider.lost'; provider: string; key: string; incarnation: string }
  | { type: 'provider.announced'; provider: string }
  | { type: 'provider.scanned'; provider: string }
  | { type: 'provider.failed'; provider: string; error: unknown }
  /** Hints with a wrong tag were dropped. */
  | { type: 'provider.dropped'; provider: string; hints: DroppedHints }
  /** It cannot do all its work at present, or it can again. */
  | { type: 'provider.degraded'; provider: string; reason: Error | undefined }
  | { type: 'provider.stopped'; provider: string }
  /** It is time to dial this candidate, or to dial it again. */
  | { type: 'candidate.due'; id: string }
  /** More candidates that wait may be dialled. */
  | { type: 'turns.due' }
  /** A peer told us of those it knows. */
  | { type: 'peers.told'; link: Link; peers: readonly WirePeer[] }
  /** Somebody answered at an address: this peer itself, or another one, which has proved itself. */
  | { type: 'address.answered'; id: string; peer: string }
  /** No new candidate for a while. */
  | { type: 'search.quiet' }
  | { type: 'search.overdue' }
  | { type: 'connection.opened'; record: PeerRecord }
  | { type: 'connection.changed'; record: PeerRecord; added: string[]; removed: string[] }
  /** The peer is silent, and a fresh dial decides about it. */
  | { type: 'connection.suspected'; record: PeerRecord }
  /** It is there after all. */
  | { type: 'connection.trusted'; record: PeerRecord }
  | { type: 'connection.left'; record: PeerRecord; why: LeaveReason }
  /** The connection actor is at its end, whether or not it ever opened. */
  | { type: 'connection.ended'; id: string; failure: ConnectionFailure | undefined };

/** Why no connection came about. */
export interface ConnectionFailure {
  /** Addresses where nobody listens. */
  refused: readonly Address[];
  /** Somebody answered at every address, and did not have the secret. */
  stranger: boolean;
  error: unknown;
}

/** What discovery emits for users: `peer.actor.system.get('discovery').on('peer.joined', …)`. */
export type DiscoveryEmitted =
  | { type: 'peer.joined'; record: PeerRecord }
  | { type: 'peer.left'; record: PeerRecord; why: LeaveReason }
  | { type: 'peer.changed'; record: PeerRecord; added: string[]; removed: string[] }
  | { type: 'search.settled' };

/** Frames about calls that this peer makes: those with `arg` are about an argument that it sends as a stream. */
export type CallerFrame = ResultFrame | ErrorFrame | NextFrame | CompleteFrame | CreditFrame | CancelFrame;

export type CallerMessage =
  | Call
  | { type: 'call.cancel'; call: Call; reason: unknown }
  /** The answers of one message, in order. */
  | { type: 'frames.received'; link: Link; frames: readonly CallerFrame[] }
  /** Calls to this peer go to another link now, or it has one at last. */
  | { type: 'link.opened'; link: Link }
  /** What was written to the link has been taken by the network, and there is room again. */
  | { type: 'link.drained'; link: Link }
  /** The other side is leaving: it takes requests up to `last` only. */
  | { type: 'link.refused'; link: Link; last: number }
  | { type: 'link.closed'; link: Link }
  | { type: 'peer.left'; record: PeerRecord; why: LeaveReason }
  | { type: 'deadline.passed' }
  /** This peer is at its end: nothing is answered any more. */
  | { type: 'caller.stop'; reason: string; cause?: unknown };

export type LivenessMessage = { type: 'link.opened'; link: Link } | { type: 'link.closed'; link: Link };

/** Frames about calls that others make: those with `arg` are of an argument that comes as a stream. */
export type DispatcherFrame =
  | RequestFrame
  | UnreadableFrame
  | CancelFrame
  | CreditFrame
  | NextFrame
  | CompleteFrame
  | ErrorFrame;

export type DispatcherMessage =
  /** The requests of one message, in order. */
  | { type: 'frames.received'; link: Link; frames: readonly DispatcherFrame[] }
  /** Requests that were put off may go on, and answers be written. */
  | { type: 'held.due'; link: Link }
  | { type: 'link.closed'; link: Link };

export type EventsMessage =
  /** Somebody here wants the events that this peer emits under the name, or no longer does. */
  | { type: 'event.wanted'; name: string; peer: string }
  | { type: 'event.unwanted'; name: string; peer: string }
  /** Nobody here subscribes to the name any more. */
  | { type: 'event.forgotten'; name: string }
  /** Calls back when nothing waits any more for a subscriber. */
  | { type: 'event.drain'; drained: () => void }
  /** The frames of one message, in order. */
  | { type: 'frames.received'; link: Link; frames: readonly EventsFrame[] }
  | { type: 'link.opened'; link: Link }
  /** What was written to the link has been taken by the network. */
  | { type: 'link.drained'; link: Link }
  /** The other side has said goaway on it. */
  | { type: 'link.left'; link: Link }
  | { type: 'link.closed'; link: Link }
  /** Frames of a link have waited long enough for another link to end. */
  | { type: 'wait.over'; link: Link }
  | { type: 'peer.left'; record: PeerRecord; why: LeaveReason };
