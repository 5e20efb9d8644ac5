import { CHANNELS } from '../base/diagnostics.ts';
import { harmless, noted } from '../base/harmless.ts';
import type { DiagnosedPeer } from '../base/diagnostics.ts';
import type { CallMeta, TraceContext } from '../wire/beside.ts';
import type { NetErrorCode } from '../base/errors.ts';
import type { CallEnd } from './call-end.ts';

/** What the channels about calls carry. One object stands for a call from its start to its end. */

/**
 * A call, on the channels `app-net:call:start`, `app-net:call:end` and `app-net:call:error`. Each start is followed by exactly
 * one of the other two, with the same object.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 *
 * subscribe('app-net:call:end', (message) => {
 *   const { side, tag, peer, end } = message as CallMessage;
 *   console.log(side, tag, peer.name, end?.ran);
 * });
 */
export class CallMessage {
  /** `caller`: this process makes the call. `callee`: the function runs here for another peer. */
  readonly side: 'caller' | 'callee';
  /** Id of the peer of this process. */
  readonly local: string;
  /** The peer at the other end. */
  readonly peer: DiagnosedPeer;
  /** The tag of the function. */
  readonly tag: string;
  /** The `meta` of the call, as it was given or came. */
  readonly meta: CallMeta;
  /** For a callee: how long the request waited here before the function began, in ms. */
  readonly waited: number;
  /** For a caller: the call of `any`, or the input of `map`, that this call is an attempt of. */
  readonly attemptOf: AnyMessage | undefined;
  /**
   * The trace that the call belongs to. For a callee it came with the call. For a caller, a subscriber to `start` may set it: it
   * then travels with the call.
   */
  trace: TraceContext | undefined;
  /** For a callee: a subscriber to `start` may set it. The function, and each step of its stream, then runs inside it. */
  enter: (<T>(step: () => T) => T) | undefined;
  /** How the call ended; undefined before that. For a call that streams, this is the end of the stream. */
  end: CallEnd | undefined;
  #isOver = false;

  /** @internal */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @internal */
  constructor(
    side: CallMessage['side'],
    local: string,
    peer: DiagnosedPeer,
    tag: string,
    meta: CallMeta,
    trace: TraceContext | undefined,
    waited: number,
    attemptOf: AnyMessage | undefined,
  ) {
    this.side = side;
    this.local = local;
    this.peer = peer;
    this.tag = tag;
    this.meta = meta;
    this.trace = trace;
    this.waited = waited;
    this.attemptOf = attemptOf;
    this.enter = undefined;
    this.end = undefined;
  }

  /** @internal */
  finish(end: CallEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    noted(() => (this.end = end));
    const channel = end.ok ? CHANNELS.callEnd : CHANNELS.callError;
    if (channel.hasSubscribers) channel.publish(this);
    for (const each of watchers) harmless(WATCHER, () => each.end(this, end));
    this.attemptOf?.attempted(this, end);
  }
}

/**
 * A call of `any`, or one input of `map`, with all its attempts: on the channels `app-net:any:start`, `app-net:any:end` and
 * `app-net:any:error`.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 *
 * subscribe('app-net:any:end', (message) => {
 *   const { how, tag, attempts } = message as AnyMessage;
 *   console.log(how, tag, `${attempts} attempts`);
 * });
 */
export class AnyMessage {
  /** Which of the two. */
  readonly how: 'any' | 'map';
  /** Id of the peer of this process. */
  readonly local: string;
  /** The tag of the function. */
  readonly tag: string;
  /** Calls that were made for it. */
  attempts = 0;
  /** The peer of the last attempt; undefined before the first. */
  peer: DiagnosedPeer | undefined;
  /** The trace that its attempts belong to. A subscriber to `start` may set it. */
  trace: TraceContext | undefined;
  /** How it ended; undefined before that. */
  end: CallEnd | undefined;
  /** The attempt whose stream is its result. */
  #open: CallMessage | undefined;
  #last: CallMessage | undefined;
  #isOver = false;

  /** @internal */
  constructor(how: AnyMessage['how'], local: string, tag: string, trace: TraceContext | undefined) {
    this.how = how;
    this.local = local;
    this.tag = tag;
    this.peer = undefined;
    this.trace = trace;
    this.end = undefined;
  }

  /** @internal */
  began(call: CallMessage): void {
    noted(() => {
      this.attempts += 1;
      this.peer = call.peer;
    });
    this.#last = call;
  }

  /** @internal One of its attempts has ended. */
  attempted(call: CallMessage, end: CallEnd): void {
    if (call === this.#open) this.finish(end);
  }

  /** @internal An attempt succeeded. If it gave a stream, the end is that of the stream. */
  succeeded(end: CallEnd): void {
    if (this.#last && !this.#last.isOver) this.#open = this.#last;
    else this.finish(end);
  }

  /** @internal */
  finish(end: CallEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    noted(() => (this.end = end));
    const channel = end.ok ? CHANNELS.anyEnd : CHANNELS.anyError;
    if (channel.hasSubscribers) channel.publish(this);
  }
}

/**
 * A call that this peer did not take, on the channel `app-net:call:refuse`. Its function did not run, and there is no `start`.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 *
 * subscribe('app-net:call:refuse', (message) => {
 *   const { code, tag } = message as RefuseMessage;
 *   console.log(code, tag);
 * });
 */
export interface RefuseMessage {
  /** Id of the peer of this process. */
  readonly local: string;
  /** The peer that called. */
  readonly peer: DiagnosedPeer;
  /** The tag of the function; undefined for a request that could not be read. */
  readonly tag: string | undefined;
  readonly code: NetErrorCode;
  readonly message: string;
}

let attempting: AnyMessage | undefined;

/** The `any` or `map` that a call which is being made is an attempt of. */
export function attempted(): AnyMessage | undefined {
  return attempting;
}

/** Makes an attempt: the call that `make` makes at once belongs to it. */
export function attempt<T>(message: AnyMessage | undefined, make: () => T): T {
  const before = attempting;
  attempting = message;
  try {
    return make();
  } finally {
    attempting = before;
  }
}

/** Tells of a call of `any`, or of an input of `map`, if somebody listens. @param trace of the call that it is made in */
export function beginAny(
  how: AnyMessage['how'],
  local: string,
  tag: string,
  trace: TraceContext | undefined,
): AnyMessage | undefined {
  if (!isAnyWatched()) return undefined;
  const message = new AnyMessage(how, local, tag, trace);
  CHANNELS.anyStart.publish(message);
  return message;
}

/**
 * Somebody who decides for each call, before anything is made for it, whether to follow it. The channels have no way to do
 * so, and a message for each call costs more than the 99 of 100 are worth that nobody looks at.
 */
export interface CallWatcher {
  /** Asked right before each call. @param isTraced whether it belongs to a trace */
  wants(side: CallMessage['side'], isTraced: boolean): boolean;
  /** Also called for calls that only others want. */
  start(message: CallMessage): void;
  end(message: CallMessage, end: CallEnd): void;
}

const WATCHER = 'the instrumentation of calls';

let watchers: readonly CallWatcher[] = [];

/** Returns a function that ends it. */
export function watchCalls(watcher: CallWatcher): () => void {
  watchers = [...watchers, watcher];
  return () => (watchers = watchers.filter((each) => each !== watcher));
}

/** Whether somebody wants to follow the call that is about to begin. */
export function areCallsWanted(side: CallMessage['side'], isTraced: boolean): boolean {
  const { callStart, callEnd, callError } = CHANNELS;
  let are = callStart.hasSubscribers || callEnd.hasSubscribers || callError.hasSubscribers;
  // Each is asked, as each remembers its own answer until `start`.
  for (const each of watchers) if (harmless(WATCHER, () => each.wants(side, isTraced))) are = true;
  return are;
}

/** Whether somebody may want to follow calls. */
export function areCallsWatched(): boolean {
  const { callStart, callEnd, callError } = CHANNELS;
  const hasSubscribers = callStart.hasSubscribers || callEnd.hasSubscribers || callError.hasSubscribers;
  return hasSubscribers || watchers.length > 0;
}

export function publishStart(message: CallMessage): void {
  if (CHANNELS.callStart.hasSubscribers) CHANNELS.callStart.publish(message);
  for (const each of watchers) harmless(WATCHER, () => each.start(message));
}

/** Whether somebody listens to `any` and `map`. */
export function isAnyWatched(): boolean {
  const { anyStart, anyEnd, anyError } = CHANNELS;
  return anyStart.hasSubscribers || anyEnd.hasSubscribers || anyError.hasSubscribers;
}
