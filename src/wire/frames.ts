/**
 * Everything that crosses a connection, as one union. `docs/protocol.md` says the same in words, for clients in
 * other languages; the two change together.
 */

import type { ErrorBasics } from './values/error-classes.ts';

/** The WebSocket subprotocol. Its number changes when an old peer could not talk to a new one. */
export const SUBPROTOCOL = 'app-net.v1';

/** Versions of the protocol this peer speaks, newest first. A higher number may add frame types. */
export const VERSIONS: readonly number[] = [1];

/**
 * Frames as the codec takes and gives them. What JSON cannot say of their values is told on the wire by a field
 * `meta` (`meta.ts`), which is gone once the values are in their places.
 */

/** Please run the function `tag`. */
export interface RequestFrame {
  type: 'request';
  /** Chosen by the caller: 1, 2, 3, … on each connection. */
  id: number;
  tag: string;
  args: unknown[];
  /** Named arguments, from callers whose language has them. The function gets them as one object after `args`. */
  kwargs?: { [key: string]: unknown };
  /** Milliseconds the caller will still wait. */
  deadline?: number;
  /** Which of `args` follow as streams; what stands in their place says nothing. */
  streams?: number[];
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
 * The frames of a stream name the request that it belongs to. With `arg` it is that argument of the request, sent by
 * the caller; without it is the result, sent by the other side. A stream ends with `complete` or `error`.
 */
export interface NextFrame {
  type: 'next';
  id: number;
  arg?: number;
  /** Absent: `undefined`. */
  value?: unknown;
  /** Not on the wire: how much credit it takes, in characters of its text and bytes that go with it. */
  size: number;
}

/** The stream is at its end. */
export interface CompleteFrame {
  type: 'complete';
  id: number;
  arg?: number;
  /** What a generator returned. */
  value?: unknown;
}

/** From the reader of a stream: it has room for so much more. */
export interface CreditFrame {
  type: 'credit';
  id: number;
  arg?: number;
  /** Values. */
  count: number;
  /** Of the size that `next` frames have. */
  bytes: number;
}

/** Exactly one of `error`, `thrown` and `failure` says why there is no result. */
export interface ErrorFrame {
  type: 'error';
  id: number;
  /** A stream that is this argument of the request failed. */
  arg?: number;
  /** The function threw an Error. */
  error?: WireError;
  /** The function threw something else. */
  thrown?: WireValue;
  /** The call itself failed. */
  failure?: WireFailure;
}

/** The caller no longer wants the result. With `arg`, from the other side: this argument is read no further. */
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

/**
 * The sender will close this connection. It answers requests up to `last`. `stopped`: it is going away.
 * `duplicate`: another connection of the same pair stays, and this one closes once both sides said so.
 */
export interface GoawayFrame {
  type: 'goaway';
  last: number;
  reason: 'stopped' | 'duplicate';
}

/**
 * Whom the sender knows, itself among them. Who was dialled by address alone is told first where the dialler is, and
 * answers with this. At most once from each side of a connection.
 */
export interface PeersFrame {
  type: 'peers';
  peers: WirePeer[];
}

/** Where a peer may be found, as another one says. */
export interface WirePeer {
  id: string;
  incarnation: string;
  /** `tag`: see `HintTags`. */
  addresses: { host: string; port: number; tag?: string }[];
}

/** The sender wants the events of this name from now on. Said again on another connection, it changes nothing. */
export interface SubscribeFrame {
  type: 'subscribe';
  /** Chosen by the subscriber: 1, 2, 3, …; the answer has it. */
  id: number;
  /** `'*'`: of every name. */
  name: string;
}

/** The answer. An event of that name which is sent from now on has a higher sequence. */
export interface SubscribedFrame {
  type: 'subscribed';
  id: number;
  /** Of `'*'`: 0. */
  sequence: number;
}

/** The sender no longer wants the events of this name. */
export interface UnsubscribeFrame {
  type: 'unsubscribe';
  name: string;
}

/** Something happened at the sender. The same text goes to every subscriber. */
export interface EventFrame {
  type: 'event';
  name: string;
  /** Counts the events of this name at this emitter; what is missing was dropped for this subscriber. */
  sequence: number;
  /** No `value` means `undefined`. */
  value?: unknown;
}

/** The frames of events, in both directions. */
export type EventsFrame = SubscribeFrame | SubscribedFrame | UnsubscribeFrame | EventFrame;

/**
 * What the decoder makes of a frame with a value that this peer cannot make, such as a regular expression that its
 * engine does not know. Never on the wire; only the call it belongs to fails; an event counts as
 * missed.
 */
export interface UnreadableFrame {
  type: 'unreadable';
  id: number;
  /** Type of the frame. */
  of: 'request' | 'result' | 'error' | 'next' | 'complete' | 'event';
  /** Of the frame, if it had one. */
  arg?: number;
  /** Why, in words. */
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
  | GoawayFrame
  | PeersFrame
  | EventsFrame;

/** Values of one stream that may be sent before its reader has given any credit. */
export const FIRST_CREDIT = 32;

/**
 * Likewise, the size of their frames. As long as a part of it is left one more may be sent, however large it is, so that
 * no value is too large for its stream. So a stream that nobody reads holds less than this and one value.
 */
export const FIRST_BYTES = 1024 * 1024;

/** A value that may be absent: `{}` is `undefined`. */
export interface WireValue {
  value?: unknown;
}

/** What is at the end of a `cause`, or in the `errors` of an AggregateError. */
export type WireCause = { error: WireError } | WireValue;

export interface WireError extends ErrorBasics {
  code?: unknown;
  /** Own enumerable properties other than `code`, as far as they can be carried. */
  properties?: { [key: string]: unknown };
  cause?: WireCause;
  /** Of an AggregateError. */
  errors?: WireCause[];
}

export interface WireFailure {
  code: string;
  ran: 'no' | 'yes' | 'unknown';
  message: string;
}

/** What a side accepts from the other. Told in the handshake. */
export interface Limits {
  /** Bytes of one WebSocket message. */
  message: number;
  /** Requests of one connection that are not answered yet. */
  calls: number;
  /** Streams of one connection that are open here at once, results and arguments together. Default: no limit. */
  streams?: number;
  /** Calls that run here at once, of all connections together. Default: not told. */
  running?: number;
  /** Names of events that the other side may be subscribed to at a time. Absent: 0, it has no events to give. */
  subscriptions?: number;
}

/** What a peer says of itself once both sides have proved that they know the secret. */
export interface Description {
  name: string;
  group: string;
  hub: boolean;
  pid: number;
  /** The host's own name for itself. */
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
  /** Id of the peer that is meant to answer; empty when only its address is known. */
  to: string;
  /**
   * How often the dialler has lost a connection to this peer, or given one up: of two connections of one pair the one
   * with the higher generation stays. 0 when it is absent.
   */
  generation?: number;
  limits: Limits;
}

/** M2, acceptor to dialler. */
export interface WelcomeMessage {
  type: 'welcome';
  /** The one that this connection speaks. */
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

/** In place of M4: the acceptor proves that it has the secret, and says that another process is alive with the dialler's id. */
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

/** Close codes of the WebSocket beside the standard ones. */
export const CLOSE = {
  /** An orderly end: after a goaway, or a duplicate connection. */
  DONE: 1000,
  /** A frame or message that breaks the protocol. */
  BAD_FRAME: 4400,
  /** The handshake failed. One code for every reason, so that a stranger learns nothing. */
  HANDSHAKE: 4401,
  /** Another life of the peer with this id is alive. Follows a `taken` message; by itself it proves nothing. */
  ID_TAKEN: 4409,
  /** The acceptor is connected to as many peers as it takes. Told only to those that have proved themselves. */
  FULL: 4429,
  /** The peer is stopping. */
  GOING_AWAY: 1001,
  /** Something that nobody foresaw went wrong with what came on the connection. */
  UNFORESEEN: 1011,
} as const;
