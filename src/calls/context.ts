import { AsyncLocalStorage } from 'node:async_hooks';

import type { AnyFunction } from '../base/function-types.ts';
import { entered } from '../base/harmless.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import { shared } from '../base/shared.ts';
import { NO_META } from '../wire/beside.ts';
import type { CallMeta, TraceContext, WireTrace } from '../wire/beside.ts';

/**
 * The call that a function runs for, as `current()` returns it.
 *
 * @example
 * const hello = connect(function hello() {
 *   const { caller, deadline } = current();
 *   return `hello, ${caller?.name ?? 'myself'}; you wait ${deadline} ms`;
 * });
 */
export interface CallContext {
  /** The peer that called; undefined after a plain call in this process. */
  readonly caller: RemotePeer | undefined;
  /** The tag of the function; undefined after a plain call in this process. */
  readonly tag: string | undefined;
  /**
   * Aborted when the caller cancels the call or is lost, or when the deadline has passed: nobody waits for the result
   * any more. Its reason is a NetError.
   */
  readonly signal: AbortSignal;
  /** How much longer the caller waits, in ms, counted from now; Infinity when there is no limit. */
  readonly deadline: number;
  /** The small object that came with the call; `{}` when none came. It is not passed on to the calls made in the function. */
  readonly meta: CallMeta;
  /**
   * The trace that the call belongs to: `traceparent` and what came with it, as W3C names them; undefined when none came. The
   * calls made in the function belong to it, too.
   */
  readonly trace: TraceContext | undefined;
}

/** A call that runs here, with what the calls made inside it need to know. */
export interface OuterCall extends CallContext {
  /** The trace that the calls made inside it belong to; `false` if it is decided that they belong to none. */
  readonly travels?: WireTrace | undefined;
  readonly settled: boolean;
  /** Its function never asks for its context, so it is not entered into the storage. */
  readonly bare?: boolean;
  /** What each of its steps runs inside, beside the storage. */
  readonly enter?: (<T>(step: () => T) => T) | undefined;
}

/** Makes the context of the call that is running synchronously, when it is asked for. */
export interface ContextSource {
  context(): OuterCall;
}

const NOTHING: CallContext = {
  caller: undefined,
  tag: undefined,
  signal: new AbortController().signal,
  deadline: Infinity,
  meta: NO_META,
  trace: undefined,
};

/**
 * There are two ways to find the call that is running. A function that does not wait for anything needs only a
 * variable, which costs nothing. A function that waits needs AsyncLocalStorage. Up to Node 22 that makes every promise
 * of the process slower, so only functions that return a promise are entered into it.
 */
const storage = shared('calls.1', () => new AsyncLocalStorage<OuterCall>());

const running = shared('running.1', () => ({
  now: undefined as ContextSource | undefined,
  /** Calls that were entered into the storage and have not settled. */
  tracked: 0,
}));

/**
 * Returns the call that the running function runs for: who called, how long the caller waits, and a signal that tells
 * when the caller stops waiting. After a plain call there is no caller, no deadline, and the signal never aborts.
 * Never throws.
 *
 * @example
 * const search = connect(async function search(text: string) {
 *   const { signal } = current();
 *   return fetch(`https://example.com/?q=${text}`, { signal });
 * });
 */
export function current(): CallContext {
  return running.now?.context() ?? storage.getStore() ?? NOTHING;
}

/** The call that is running here and makes another call. */
export function outerCall(): OuterCall | undefined {
  if (running.now) return running.now.context();
  if (running.tracked === 0) return undefined;
  const call = storage.getStore();
  return call?.settled ? undefined : call;
}

/** Limits of something that consists of several calls. It must also end when the call that it is made in ends. */
export function insideOuterCall(own: { time: number; signal: AbortSignal | undefined }): typeof own {
  const outer = outerCall();
  if (!outer) return own;
  const { deadline, signal } = outer;
  return {
    time: Math.min(own.time, deadline),
    signal: own.signal ? AbortSignal.any([own.signal, signal]) : signal,
  };
}

/** Runs a function that does nothing more after its return. */
export function runBriefly(
  source: ContextSource,
  run: AnyFunction,
  args: readonly unknown[],
  enter?: OuterCall['enter'],
): unknown {
  const before = running.now;
  running.now = source;
  try {
    return enter
      ? entered(enter, () => Reflect.apply(run, undefined, args))
      : Reflect.apply(run, undefined, args);
  } finally {
    running.now = before;
  }
}

/** Runs a step of a function that waits. */
export function runTracked<T>(call: OuterCall, step: () => T): T {
  const before = running.now;
  running.now = undefined;
  try {
    const { enter, bare } = call;
    if (bare) return enter ? entered(enter, step) : step();
    return storage.run(call, enter ? () => entered(enter, step) : step);
  } finally {
    running.now = before;
  }
}

export function beginTracking(): void {
  running.tracked += 1;
}

/** @param forget the function did not wait after all; the storage is switched off unless another call uses it */
export function endTracking(forget: boolean): void {
  running.tracked -= 1;
  if (forget && running.tracked === 0) storage.disable();
}
