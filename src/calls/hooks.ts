import type { RemotePeer } from '../presence/remote-peer.ts';

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
type Chain = (call: HookedCall, last: () => Promise<unknown>) => Promise<unknown>;

/**
 * The hooks of one peer. On both sides the hook that was added first is the outermost. A call goes through the caller's
 * hooks in the order in which they were added, over the wire, through the callee's hooks in their order, and back the
 * same way.
 */
export class Middleware {
  #hooks: readonly Hook[] = [];
  /** Both are undefined while there is no hook. Then calls pay only for this check. */
  outgoing: Chain | undefined;
  incoming: Chain | undefined;

  /** @returns a function that removes the hook */
  use(hook: Hook): () => void {
    if (typeof hook !== 'function') {
      throw new TypeError('use(hook): hook must be a function, such as async (call, next) => next()');
    }
    const entry: Hook = (call, next) => hook(call, next);
    this.#set([...this.#hooks, entry]);
    return () => this.#set(this.#hooks.filter((each) => each !== entry));
  }

  #set(hooks: readonly Hook[]): void {
    this.#hooks = hooks;
    const chain = hooks.length > 0 ? chainOf(hooks) : undefined;
    this.outgoing = chain;
    this.incoming = chain;
  }
}

function chainOf(hooks: readonly Hook[]): Chain {
  return (call, last) => {
    const through = async (index: number): Promise<unknown> => {
      const hook = hooks[index];
      if (!hook) return last();
      let called = false;
      return hook(call, () => {
        if (called) throw new Error('next() was called twice; a hook may call it only once');
        called = true;
        return through(index + 1);
      });
    };
    return through(0);
  };
}
