import { CHANNELS } from '../base/diagnostics.ts';
import { harmed, harmless, noted } from '../base/harmless.ts';
import type { DiagnosedPeer } from '../base/diagnostics.ts';
import { readTrace } from '../wire/beside.ts';
import type { CallMeta, TraceContext, WireTrace } from '../wire/beside.ts';
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
  #isUntraced: boolean;

  /** @internal */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @internal What goes on with the call: its trace, or `false` if it is decided that it has none. */
  get travels(): WireTrace | undefined {
    return this.trace ?? (this.#isUntraced ? false : undefined);
  }

  /** @internal Lets this go on with the call, unless somebody gives it a trace. */
  passOn(travels: WireTrace | undefined): void {
    this.trace ??= readTrace(travels);
    this.#isUntraced ||= travels === false;
  }

  /** @internal */
  constructor(
    side: CallMessage['side'],
    local: string,
    peer: DiagnosedPeer,
    tag: string,
    meta: CallMeta,
    travels: WireTrace | undefined,
    waited: number,
    attemptOf: AnyMessage | undefined,
  ) {
    this.side = side;
    this.local = local;
    this.peer = peer;
    this.tag = tag;
    this.meta = meta;
    this.trace = readTrace(travels);
    this.#isUntraced = travels === false;
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
    for (const each of watchers) {
      try {
        each.end(this, end);
      } catch (error) {
        harmed(WATCHER, error);
      }
    }
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
  #isUntraced: boolean;

  /** @internal What goes on with the attempts: their trace, or `false` if it is decided that they have none. */
  get travels(): WireTrace | undefined {
    return this.trace ?? (this.#isUntraced ? false : undefined);
  }

  /** @internal Lets this go on with the attempts, unless somebody gives them a trace. */
  passOn(travels: WireTrace | undefined): void {
    this.trace ??= readTrace(travels);
    this.#isUntraced ||= travels === false;
  }

  /** @internal */
  constructor(how: AnyMessage['how'], local: string, tag: string, travels: WireTrace | undefined) {
    this.how = how;
    this.local = local;
    this.tag = tag;
    this.peer = undefined;
    this.trace = readTrace(travels);
    this.#isUntraced = travels === false;
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
    for (const each of watchers) harmless(WATCHER, () => each.anyEnd(this, end));
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

/** A call of `any`, or an input of `map`, as its attempts see it. */
export interface Attempted {
  /** Undefined if nobody follows it. */
  readonly message: AnyMessage | undefined;
  /** What goes on with its attempts. */
  readonly travels: WireTrace | undefined;
}

let attempting: Attempted | undefined;

/** The `any` or `map` that a call which is being made is an attempt of. */
export function attempted(): Attempted | undefined {
  return attempting;
}

/** Makes an attempt: the call that `make` makes at once belongs to it. */
export function attempt<T>(any: Attempted | undefined, make: () => T): T {
  const before = attempting;
  attempting = any;
  try {
    return make();
  } finally {
    attempting = before;
  }
}

/**
 * Tells of a call of `any`, or of an input of `map`, if somebody may want it.
 * @param travels what goes on from the call that it is made in
 */
export function beginAny(
  how: AnyMessage['how'],
  local: string,
  tag: string,
  travels: WireTrace | undefined,
): Attempted | undefined {
  if (!isAnyWatched() && !areCallsWatched()) return undefined;
  const verdict = decideCall('caller', local, travels);
  if (verdict !== true && !isAnyWatched()) return { message: undefined, travels: verdict };
  const message = new AnyMessage(how, local, tag, travels);
  if (CHANNELS.anyStart.hasSubscribers) CHANNELS.anyStart.publish(message);
  for (const each of watchers) harmless(WATCHER, () => each.anyStart(message));
  return { message, travels: message.travels };
}

/** `true` if the call is followed; otherwise what goes on with it. */
export type Verdict = true | WireTrace | undefined;

/**
 * Somebody who decides for each call, before anything is made for it, whether to follow it. The channels have no way to do
 * so, and a message for each call costs more than the 99 of 100 are worth that nobody looks at.
 */
export interface CallWatcher {
  /**
   * Asked right before each call, but not before the attempts of `any` and `map`.
   * @param local id of the peer of this process
   * @param travels what came with the call, or goes on from the call that it is made in
   */
  wants(side: CallMessage['side'], local: string, travels: WireTrace | undefined): Verdict;
  /** What a function that waits runs inside if nobody follows its call. */
  inside(local: string, travels: WireTrace | undefined): CallMessage['enter'];
  /** Also called for calls that only others want. */
  start(message: CallMessage): void;
  end(message: CallMessage, end: CallEnd): void;
  anyStart(message: AnyMessage): void;
  anyEnd(message: AnyMessage, end: CallEnd): void;
}

const WATCHER = 'the instrumentation of calls';

let watchers: readonly CallWatcher[] = [];

/** Returns a function that ends it. */
export function watchCalls(watcher: CallWatcher): () => void {
  watchers = [...watchers, watcher];
  return () => (watchers = watchers.filter((each) => each !== watcher));
}

/** Whether somebody wants to follow the call that is about to begin, and what else goes on with it. */
export function decideCall(
  side: CallMessage['side'],
  local: string,
  travels: WireTrace | undefined,
): Verdict {
  const { callStart, callEnd, callError } = CHANNELS;
  let isWanted = callStart.hasSubscribers || callEnd.hasSubscribers || callError.hasSubscribers;
  let otherwise = travels;
  // Each is asked, as each remembers its own answer until `start`, and takes over what those before it decided.
  for (const each of watchers) {
    try {
      const verdict = each.wants(side, local, otherwise);
      if (verdict === true) isWanted = true;
      else otherwise = verdict;
    } catch (error) {
      harmed(WATCHER, error);
    }
  }
  return isWanted || otherwise;
}

/** What a function that waits runs inside, if nobody follows its call. */
export function insideOf(local: string, travels: WireTrace | undefined): CallMessage['enter'] {
  for (const each of watchers) {
    const enter = harmless(WATCHER, () => each.inside(local, travels));
    if (enter) return enter;
  }
  return undefined;
}

/** Whether somebody may want to follow calls. */
export function areCallsWatched(): boolean {
  const { callStart, callEnd, callError } = CHANNELS;
  const hasSubscribers = callStart.hasSubscribers || callEnd.hasSubscribers || callError.hasSubscribers;
  return hasSubscribers || watchers.length > 0;
}

export function publishStart(message: CallMessage): void {
  if (CHANNELS.callStart.hasSubscribers) CHANNELS.callStart.publish(message);
  for (const each of watchers) {
    try {
      each.start(message);
    } catch (error) {
      harmed(WATCHER, error);
    }
  }
}

/** Whether somebody listens to `any` and `map`. */
export function isAnyWatched(): boolean {
  const { anyStart, anyEnd, anyError } = CHANNELS;
  return anyStart.hasSubscribers || anyEnd.hasSubscribers || anyError.hasSubscribers;
}
