import { evaluationUnderWay, replacesEvaluation } from '../base/reload/evaluation.ts';
import type { Evaluation } from '../base/reload/evaluation.ts';
import type { CallEnd } from './call-end.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';

/**
 * A call as a hook sees it.
 *
 * @example
 * use((call: HookedCall, next) => {
 *   console.log(call.direction, call.tag, call.peer.name);
 *   return next();
 * });
 */
export interface HookedCall {
  /** `outgoing`: this process makes the call. `incoming`: another peer makes it, and the function runs here. */
  readonly direction: 'outgoing' | 'incoming';
  /** The peer at the other end. */
  readonly peer: RemotePeer;
  /** The tag of the function. */
  readonly tag: string;
  /** The arguments of the call. */
  readonly args: readonly unknown[];
  /** Aborted when the call is cancelled; undefined for an outgoing call that was given no signal. */
  readonly signal: AbortSignal | undefined;
  /** How much longer the call may take, in ms; Infinity when there is no limit. */
  readonly deadline: number;
  /**
   * The small object that travels with the call: `{}` when the caller gave none. A hook may change it, or put another object in
   * its place, before it calls `next()`. For an outgoing call that is what the other side gets; for an incoming call, what the
   * function reads in `current().meta`.
   */
  meta: Record<string, unknown>;
  /**
   * Resolves when the call is over, and never rejects. `next()` of a call that streams already returns when the stream opens;
   * this promise waits for the end of the stream.
   */
  readonly finished: Promise<CallEnd>;
}

/** The call that hooks are given. */
export class HookedCallState implements HookedCall {
  readonly direction: HookedCall['direction'];
  readonly peer: RemotePeer;
  readonly tag: string;
  readonly args: readonly unknown[];
  readonly signal: AbortSignal | undefined;
  readonly deadline: number;
  meta: Record<string, unknown>;
  #end: CallEnd | undefined;
  #finished: Promise<CallEnd> | undefined;
  #resolve: (end: CallEnd) => void = () => {};

  constructor(given: Omit<HookedCall, 'finished'>) {
    this.direction = given.direction;
    this.peer = given.peer;
    this.tag = given.tag;
    this.args = given.args;
    this.signal = given.signal;
    this.deadline = given.deadline;
    this.meta = given.meta;
  }

  get finished(): Promise<CallEnd> {
    this.#finished ??= this.#end
      ? Promise.resolve(this.#end)
      : new Promise((resolve) => (this.#resolve = resolve));
    return this.#finished;
  }

  /** The first end counts. */
  finish(end: CallEnd): void {
    this.#end ??= end;
    this.#resolve(this.#end);
  }
}

/**
 * A function that wraps every call. Its return value becomes the result of the call, and an error that it throws becomes
 * the failure. `next()` makes the call or runs the function; you may call it at most once. The result of a function that
 * streams is an async iterable.
 *
 * @example
 * use(async (call, next) => {
 *   if (call.direction === 'incoming' && call.peer.group !== 'admin') throw new Error('not allowed');
 *   return next();
 * });
 */
export type Hook = (call: HookedCall, next: () => Promise<unknown>) => unknown;

/** A chain of hooks with the call at its end. */
type Chain = (call: HookedCallState, last: () => Promise<unknown>) => Promise<unknown>;

interface Entry {
  readonly hook: Hook;
  /** The evaluation of a module that added it; undefined if none was under way. */
  readonly evaluation: Evaluation | undefined;
  /** It is in the place of one that an earlier evaluation of the same module added. */
  readonly isInPlace: boolean;
}

/**
 * The hooks of one peer. On both sides the hook that was added first is the outermost. A call goes through the caller's
 * hooks in the order in which they were added, over the wire, through the callee's hooks in their order, and back the
 * same way.
 */
export class Middleware {
  #hooks: readonly Entry[] = [];
  /** Both are undefined while there is no hook. Then calls pay only for this check. */
  outgoing: Chain | undefined;
  incoming: Chain | undefined;

  /**
   * A module that is evaluated again puts its hooks in the place of the earlier ones.
   * @returns a function that removes the hook
   */
  use(hook: Hook): () => void {
    if (typeof hook !== 'function') {
      throw new TypeError('use(hook): hook must be a function, such as async (call, next) => next()');
    }
    const evaluation = evaluationUnderWay();
    const place = this.#placeOf(evaluation);
    const entry: Entry = { hook, evaluation, isInPlace: place !== undefined };
    const hooks = this.#hooks.toSpliced(place ?? this.#hooks.length, 0, entry);
    this.#set(hooks.filter((each) => !isReplaced(each, evaluation)));
    return () => this.#set(this.#hooks.filter((each) => each !== entry));
  }

  /** Where the hook of a module that is evaluated again belongs. */
  #placeOf(evaluation: Evaluation | undefined): number | undefined {
    const last = this.#hooks.findLastIndex(
      (each) =>
        each.isInPlace &&
        each.evaluation?.file === evaluation?.file &&
        each.evaluation?.run === evaluation?.run,
    );
    if (last >= 0) return last + 1;
    const first = this.#hooks.findIndex((each) => isReplaced(each, evaluation));
    return first >= 0 ? first : undefined;
  }

  #set(hooks: readonly Entry[]): void {
    this.#hooks = hooks;
    const chain = hooks.length > 0 ? chainOf(hooks.map(({ hook }) => hook)) : undefined;
    this.outgoing = chain;
    this.incoming = chain;
  }
}

function isReplaced({ evaluation: before }: Entry, now: Evaluation | undefined): boolean {
  return before !== undefined && now?.file === before.file && replacesEvaluation(now, before);
}

function chainOf(hooks: readonly Hook[]): Chain {
  return (call, last) => {
    const through = async (index: number): Promise<unknown> => {
      const hook = hooks[index];
      if (!hook) return last();
      let called = false;
      const next = (): Promise<unknown> => {
        if (called) throw new Error('next() was called twice; a hook may call it only once');
        called = true;
        return through(index + 1);
      };
      return hook(call, next);
    };
    return through(0);
  };
}
