/** Everything that crosses a connection, as one union. `docs/protocol.md` describes the same: change both together. */

import type { CallMeta, WireTrace } from './beside.ts';
import type { PassedOn } from './unread/unread-request.ts';
import type { Presence, PresenceFrame } from './presence-frames.ts';
import type { RevokedFrame } from './revoked-frame.ts';
import type { ErrorBasics } from './values/error-classes.ts';

/** The WebSocket subprotocol. Its number changes when old and new peers can no longer talk to each other. */
export const SUBPROTOCOL = 'app-net.v1';

/** Versions of the protocol that this peer speaks, newest first. A higher number may add frame types. */
export const VERSIONS: readonly number[] = [1];

/**
 * Frames as the codec takes and returns them. On the wire, a field `meta` (`meta.ts`) describes values that JSON cannot represent.
 */

/** Asks the other side to run the function `tag`. */
export interface RequestFrame {
  type: 'request';
  /** Chosen by the caller: 1, 2, 3, … on each connection. */
  id: number;
  tag: string;
  args: unknown[];
  /** Named arguments, from callers whose language has them. The function gets them as one object after `args`. */
  kwargs?: { [key: string]: unknown };
  /** Milliseconds that the caller will still wait. */
  deadline?: number;
  /** Positions of the `args` that follow as streams. The values at these positions in `args` have no meaning. */
  streams?: number[];
  /** The `meta` of the call. */
  headers?: CallMeta;
  trace?: WireTrace;
  /** Not on the wire: the request was not read, `args` is empty, and this is the rest of it. */
  passedOn?: PassedOn;
}

/** The function returned. No `value` means `undefined`. */
export interface ResultFrame {
  type: 'result';
  id: number;
  value?: unknown;
  /** The function returned a stream; its values follow as `next` frames. */
  stream?: true;
}

/**
 * The frames of a stream have the id of its request. With `arg`, the stream is that argument of the request and the caller sends
 * it. Without `arg`, it is the result and the other side sends it. A stream ends with `complete` or `error`.
 */
export interface NextFrame {
  type: 'next';
  id: number;
  arg?: number;
  /** Absent: `undefined`. */
  value?: unknown;
  /** Not on the wire: the credit that the frame uses, in characters of its text plus bytes of its binary messages. */
  size: number;
}

/** The stream has ended. */
export interface CompleteFrame {
  type: 'complete';
  id: number;
  arg?: number;
  /** The return value of the generator. */
  value?: unknown;
}

/** From the reader of a stream: it has room for this much more. */
export interface CreditFrame {
  type: 'credit';
  id: number;
  arg?: number;
  /** Number of values. */
  count: number;
  /** Sum of the sizes of `next` frames. */
  bytes: number;
}

/** Says why there is no result, in exactly one of `error`, `thrown` and `failure`. */
export interface ErrorFrame {
  type: 'error';
  id: number;
  /** If present, the stream that is this argument of the request failed. */
  arg?: number;
  /** The function threw an Error. */
  error?: WireError;
  /** The function threw something else. */
  thrown?: WireValue;
  /** The call itself failed. */
  failure?: WireFailure;
}

/** The caller no longer wants the result. With `arg`, from the other side: it no longer reads this argument. */
export interface CancelFrame {
  type: 'cancel';
  id: number;
  arg?: number;
  /** The deadline of the request has passed. */
  late?: true;
}

/** The sender's set of functions changed. */
export interface FunctionsFrame {
  type: 'functions';
  added: string[];
  removed: string[];
}

/** How busy a function is, for a caller of it. Without the numbers, the sender no longer tells of it. */
export interface LoadFrame {
  type: 'load';
  tag: string;
  /** Calls of the function that run, and that wait, whoever made them. */
  running?: number;
  waiting?: number;
  /** How many of these calls are the receiver's. */
  yours?: number;
  /** How many run at the same time. */
  limit?: number;
}

/**
 * The sender will close this connection. It still answers requests up to `last`. `stopped`: the sender is leaving. `duplicate`:
 * another connection of the same pair stays, and this one closes once both sides have sent `goaway`. `idle`: the side that opened
 * the connection has no use for it. The other side answers with the same if it has none, either; then the first side closes it.
 */
export interface GoawayFrame {
  type: 'goaway';
  last: number;
  reason: 'stopped' | 'duplicate' | 'idle';
}

/** The sender wants the events of this name from now on. Sending it again, on another connection, changes nothing. */
export interface SubscribeFrame {
  type: 'subscribe';
  /** Chosen by the subscriber: 1, 2, 3, …; the answer repeats it. */
  id: number;
  /** `'*'` stands for every name. */
  name: string;
}

/** The answer to `subscribe`. Events of that name that are sent from now on have a higher sequence. */
export interface SubscribedFrame {
  type: 'subscribed';
  id: number;
  /** 0 for `'*'`. */
  sequence: number;
}

/** The sender no longer wants the events of this name. */
export interface UnsubscribeFrame {
  type: 'unsubscribe';
  name: string;
}

/** An event of the sender. Every subscriber receives the same text. */
export interface EventFrame {
  type: 'event';
  name: string;
  /** Counts the events of this name at this emitter. Missing numbers were dropped for this subscriber. */
  sequence: number;
  /** No `value` means `undefined`. */
  value?: unknown;
  /** The `meta` of the event. */
  headers?: CallMeta;
  trace?: WireTrace;
}

/** The frames of events, in both directions. */
export type EventsFrame = SubscribeFrame | SubscribedFrame | UnsubscribeFrame | EventFrame;

/**
 * The decoder returns this for a frame with a value that this peer cannot create, such as a regular expression that its engine
 * does not know. It is never on the wire. Only the call of that frame fails; an event counts as missed.
 */
export interface UnreadableFrame {
  type: 'unreadable';
  id: number;
  /** Type of the frame. */
  of: 'request' | 'result' | 'error' | 'next' | 'complete' | 'event';
  /** The `arg` of the frame, if it had one. */
  arg?: number;
  /** The reason, in words. */
  message: string;
}

export type Frame =
  | RequestFrame
  | ResultFrame
  | ErrorFrame
  | CancelFrame
  | NextFrame
  | CompleteFrame
  | CreditFrame
  | FunctionsFrame
  | LoadFrame
  | GoawayFrame
  | RevokedFrame
  | PresenceFrame
  | EventsFrame;

/** How many values of a stream may be sent before its reader has given any credit. */
export const FIRST_CREDIT = 32;

/**
 * The same for the size of their frames. While any of this credit is left, one more value may be sent, however large it is, so
 * that no value is too large for its stream. A stream that nobody reads therefore holds less than this size plus one value.
 */
export const FIRST_BYTES = 1024 * 1024;

/** A value that may be absent: `{}` is `undefined`. */
export interface WireValue {
  value?: unknown;
}

/** A `cause`, or one of the `errors` of an AggregateError. */
export type WireCause = { error: WireError } | WireValue;

export interface WireError extends ErrorBasics {
  code?: unknown;
  /** Own enumerable properties other than `code`, as far as they can be sent. */
  properties?: { [key: string]: unknown };
  cause?: WireCause;
  /** The errors of an AggregateError. */
  errors?: WireCause[];
}

export interface WireFailure {
  code: string;
  ran: 'no' | 'yes' | 'unknown';
  message: string;
}

/** The limits that a side sets for the other one. Sent in the handshake. */
export interface Limits {
  /** Bytes of one WebSocket message. */
  message: number;
  /** Unanswered requests of one connection. */
  calls: number;
  /** Streams of one connection that are open here at once, results and arguments together. Default: no limit. */
  streams?: number;
  /** Calls that run here at once, of all connections together. Default: not announced. */
  running?: number;
  /** Names of events that the other side may be subscribed to at once. Absent: 0, this side has no events. */
  subscriptions?: number;
  /** This side wants to be told how busy functions are that it calls. */
  load?: true;
}

/** How a peer describes itself once both sides have proved that they know the secret. */
export interface Description extends Partial<Presence> {
  name: string;
  group: string;
  hub: boolean;
  pid: number;
  /** The host name, as the host itself reports it. */
  host: string;
  functions: string[];
}

/** M1, dialler to acceptor. */
export interface HelloMessage {
  type: 'hello';
  versions: number[];
  id: string;
  incarnation: string;
  /** 32 random bytes, base64url. */
  nonce: string;
  /** Id of the peer that should answer; empty if only its address is known. */
  to: string;
  /**
   * How often the dialler has lost or given up a connection to this peer. If a pair has two connections, the one with the higher
   * generation stays. Absent: 0.
   */
  generation?: number;
  /** The public part of the dialler's pass. Absent: it has the secret. */
  pass?: string;
  limits: Limits;
}

/** M2, acceptor to dialler. */
export interface WelcomeMessage {
  type: 'welcome';
  /** The version of this connection. */
  version: number;
  versions: number[];
  id: string;
  incarnation: string;
  nonce: string;
  limits: Limits;
}

/** M3, dialler to acceptor. */
export interface ProofMessage {
  type: 'proof';
  /** HMAC-SHA256, base64url. */
  proof: string;
}

/** M4, acceptor to dialler. */
export interface AcceptMessage extends Description {
  type: 'accept';
  proof: string;
}

/** M5, dialler to acceptor: the last message of the handshake. */
export interface DescribeMessage extends Description {
  type: 'describe';
}

/** Instead of M4: the acceptor proves that it has the secret, and reports that another live process has the dialler's id. */
export interface TakenMessage {
  type: 'taken';
  proof: string;
}

export type HandshakeMessage =
  | HelloMessage
  | WelcomeMessage
  | ProofMessage
  | AcceptMessage
  | TakenMessage
  | DescribeMessage;

/** Close codes of the WebSocket: those of this protocol, and the standard ones it uses. */
export const CLOSE = {
  /** An orderly end: after a goaway, or a duplicate connection. */
  DONE: 1000,
  /** A frame or message that breaks the protocol. */
  BAD_FRAME: 4400,
  /** The handshake failed. Every reason has the same code, so that a stranger learns nothing. */
  HANDSHAKE: 4401,
  /** Another live process has this peer id. Follows a `taken` message; the code alone proves nothing. */
  ID_TAKEN: 4409,
  /** The acceptor has reached its limit of connected peers. Only sent to peers that have proved themselves. */
  FULL: 4429,
  /** The peer is stopping. */
  GOING_AWAY: 1001,
  /** An unexpected error occurred while something from this connection was handled. */
  UNFORESEEN: 1011,
  /** The network between the two sides lost the connection. It says nothing about the other side. Never sent. */
  NETWORK: 4503,
  /** The broker between the two sides says that the other side is gone. Never sent. */
  GONE: 4504,
} as const;
