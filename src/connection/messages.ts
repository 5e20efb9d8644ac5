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
import type { Address } from '../transport/address.ts';
import type { LeaveReason } from './evidence.ts';
import type { Link, PeerRecord } from './link.ts';
import type { Session } from './session.ts';

/**
 * The messages of a connection: those that its machine takes, and those that it sends to the other actors of its peer. Each of
 * these adds messages of its own, in its own room. Facts are named for what happened (`link.closed`), commands for what is
 * wanted (`connection.drain`). `docs/states.md` says who sends which and when.
 *
 * Frames travel wrapped, as `{ type: 'frames.received', frames }`: an event made of text from the wire could call
 * itself `xstate.stop`, and would stop the actor it reaches.
 */

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

/** Why no connection came about. */
export interface ConnectionFailure {
  /** Addresses where nobody listens. */
  refused: readonly Address[];
  /** Somebody answered at every address, and did not have the secret. */
  stranger: boolean;
  error: unknown;
}

/** Frames about calls that this peer makes: those with `arg` are about an argument that it sends as a stream. */
export type CallerFrame = ResultFrame | ErrorFrame | NextFrame | CompleteFrame | CreditFrame | CancelFrame;

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

/** To the actor of the calls that this peer makes. */
export type ToCaller =
  /** The answers of one message, in order. */
  | { type: 'frames.received'; link: Link; frames: readonly CallerFrame[] }
  /** Calls to this peer go to another link now, or it has one at last. */
  | { type: 'link.opened'; link: Link }
  /** What was written to the link has been taken by the network, and there is room again. */
  | { type: 'link.drained'; link: Link }
  /** The other side is leaving: it takes requests up to `last` only. */
  | { type: 'link.refused'; link: Link; last: number }
  | { type: 'link.closed'; link: Link }
  | { type: 'peer.left'; record: PeerRecord; why: LeaveReason };

/** To the actor that runs the calls of others. */
export type ToDispatcher =
  /** The requests of one message, in order. */
  | { type: 'frames.received'; link: Link; frames: readonly DispatcherFrame[] }
  /** Requests that were put off may go on, and answers be written. */
  | { type: 'held.due'; link: Link }
  | { type: 'link.closed'; link: Link };

/** To the actor of the events. */
export type ToEvents =
  /** The frames of one message, in order. */
  | { type: 'frames.received'; link: Link; frames: readonly EventsFrame[] }
  | { type: 'link.opened'; link: Link }
  /** What was written to the link has been taken by the network. */
  | { type: 'link.drained'; link: Link }
  /** The other side has said goaway on it. */
  | { type: 'link.left'; link: Link }
  | { type: 'link.closed'; link: Link }
  | { type: 'peer.left'; record: PeerRecord; why: LeaveReason };

/** To the actor that keeps the set of peers. */
export type ToDiscovery =
  /** A peer told us of those it knows. */
  | { type: 'peers.told'; link: Link; peers: readonly WirePeer[] }
  /** Somebody answered at an address: this peer itself, or another one, which has proved itself. */
  | { type: 'address.answered'; id: string; peer: string }
  | { type: 'connection.opened'; record: PeerRecord }
  | { type: 'connection.changed'; record: PeerRecord; added: string[]; removed: string[] }
  /** The peer is silent, and a fresh dial decides about it. */
  | { type: 'connection.suspected'; record: PeerRecord }
  /** It is there after all. */
  | { type: 'connection.trusted'; record: PeerRecord }
  | { type: 'connection.left'; record: PeerRecord; why: LeaveReason }
  /** The connection actor is at its end, whether or not it ever opened. */
  | { type: 'connection.ended'; id: string; failure: ConnectionFailure | undefined };
