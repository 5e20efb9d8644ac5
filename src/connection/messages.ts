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
} from '../wire/frames.ts';
import type { Presence, PresenceFrame } from '../wire/presence-frames.ts';
import type { Address } from '../transport/address.ts';
import type { LeaveReason } from './link/evidence.ts';
import type { Link, PeerRecord } from './link/link.ts';
import type { Session } from './link/session.ts';

/**
 * The messages of a connection: those that its machine takes, and those that it sends to the other actors of its peer. Each of
 * these actors adds its own messages, in its own room. Facts are named for what happened (`link.closed`), commands for what to do
 * (`connection.drain`). `docs/states.md` says which actor sends which message, and when.
 *
 * Frames are wrapped, as in `{ type: 'frames.received', frames }`. A frame must never be a message itself: its `type` comes from
 * the wire, and `xstate.stop` would stop the actor that gets it.
 */

export type ConnectionMessage =
  | { type: 'session.arrived'; session: Session }
  | { type: 'frame.received'; link: Link; frame: FunctionsFrame | GoawayFrame }
  /** Nothing runs any more on a link that one side is leaving. */
  | { type: 'link.idle'; link: Link }
  /** `code` is the close code of the WebSocket. */
  | { type: 'link.closed'; link: Link; code: number }
  /** Nothing has arrived on the link for too long. */
  | { type: 'link.silent'; link: Link }
  /** Something has arrived after the silence. */
  | { type: 'link.heard'; link: Link }
  | { type: 'functions.changed'; added: string[]; removed: string[] }
  /** The running dial goes to the wrong place, or to a peer that has left, as is now known. */
  | { type: 'dial.stop' }
  /** The link goes through a broker, and a direct one may be possible again. */
  | { type: 'direct.due' }
  /** This peer is stopping: send goaway, and let running calls finish. */
  | { type: 'connection.drain' }
  /** Everything has finished, or the time for it is over. */
  | { type: 'connection.close' }
  /** A message made the connection throw. */
  | { type: 'connection.broke' };

/** Why a connection failed. */
export interface ConnectionFailure {
  /** Addresses where nobody listens. */
  refused: readonly Address[];
  /** Somebody answered at every address, but did not have the secret. */
  stranger: boolean;
  error: unknown;
}

/** Frames about calls that this peer makes. Those with `arg` are about an argument that it sends as a stream. */
export type CallerFrame = ResultFrame | ErrorFrame | NextFrame | CompleteFrame | CreditFrame | CancelFrame;

export type LivenessMessage = { type: 'link.opened'; link: Link } | { type: 'link.closed'; link: Link };

/** Frames about calls that other peers make. Those with `arg` belong to an argument that arrives as a stream. */
export type DispatcherFrame =
  | RequestFrame
  | UnreadableFrame
  | CancelFrame
  | CreditFrame
  | NextFrame
  | CompleteFrame
  | ErrorFrame;

/** To the actor of the calls that this peer makes. */
export type ToCaller =
  /** The answers of one message, in order. */
  | { type: 'frames.received'; link: Link; frames: readonly CallerFrame[] }
  /** Calls to this peer now use this link: a new one, or its first. */
  | { type: 'link.opened'; link: Link }
  /** The network has taken everything that was written to the link, so there is room again. */
  | { type: 'link.drained'; link: Link }
  /** The other side is leaving, and takes only requests up to `last`. */
  | { type: 'link.refused'; link: Link; last: number }
  | { type: 'link.closed'; link: Link }
  | { type: 'peer.left'; record: PeerRecord; why: LeaveReason }
  /** The peer is present, and cannot be dialled now. */
  | { type: 'link.failed'; record: PeerRecord; error: unknown };

/** To the actor that runs the calls of others. */
export type ToDispatcher =
  /** The requests of one message, in order. */
  | { type: 'frames.received'; link: Link; frames: readonly DispatcherFrame[] }
  /** Requests that were held back may run, and answers may be written. */
  | { type: 'held.due'; link: Link }
  | { type: 'link.closed'; link: Link };

/** To the actor of the events. */
export type ToEvents =
  /** The frames of one message, in order. */
  | { type: 'frames.received'; link: Link; frames: readonly EventsFrame[] }
  | { type: 'link.opened'; link: Link }
  /** The network has taken everything that was written to the link. */
  | { type: 'link.drained'; link: Link }
  /** The other side has sent goaway on the link. */
  | { type: 'link.left'; link: Link }
  | { type: 'link.closed'; link: Link }
  | { type: 'peer.joined'; record: PeerRecord }
  | { type: 'peer.left'; record: PeerRecord; why: LeaveReason };

/** To the actor that keeps the set of peers. */
export type ToDiscovery =
  /** A peer tells who is present. */
  | { type: 'presence.told'; link: Link; frame: PresenceFrame }
  /** Somebody answered at an address: this peer itself, or another peer that has proved itself. */
  | { type: 'address.answered'; id: string; peer: string }
  /** A link opened. `presence`: what the peer said of itself. */
  | { type: 'connection.opened'; record: PeerRecord; link: Link; presence: Presence; toldVersion: number }
  /** A link closed, whether or not another one stays. */
  | { type: 'connection.closed'; record: PeerRecord; link: Link }
  | { type: 'connection.changed'; record: PeerRecord; added: string[]; removed: string[] }
  /** The peer is silent, or its link closed, and a new dial decides about it. */
  | { type: 'connection.suspected'; record: PeerRecord }
  /** The suspect peer is alive. */
  | { type: 'connection.trusted'; record: PeerRecord }
  /** The peer said goodbye on this link. */
  | { type: 'connection.stopped'; record: PeerRecord; link: Link }
  /** The new dial failed. `refused`: nobody listens at any address. `moot`: this process could not dial at all. */
  | { type: 'connection.lost'; record: PeerRecord; refused: boolean; moot: boolean; accepted: boolean }
  /** This peer stops, and has closed its links to that one. */
  | { type: 'connection.left'; record: PeerRecord; why: LeaveReason; detail: string | undefined }
  /** The actor of the connection has ended, whether or not the connection ever opened. */
  | { type: 'connection.ended'; id: string; failure: ConnectionFailure | undefined };
