import type { RemotePeer } from '../presence/remote-peer.ts';

/** A call as a hook sees it. */
export interface HookedCall {
  /** `outgoing`: this process makes it. `incoming`: another one does, and it runs here. */
  readonly direction: 'outgoing' | 'incoming';
  /** The peer at the other end. */
  readonly peer: RemotePeer;
  /** The function's tag. */
  readonly tag: string;
  readonly args: readonly unknown[];
  /** Aborted when the call is taken back; undefined when an outgoing call has none. */
  readonly signal: AbortSignal | undefined;
  /** Milliseconds the call may still take; Infinity when there is no limit. */
  readonly deadline: number;
}

/**
 * Goes around a call. What it returns is the result, and what it throws the failure; `next()` makes the call, or runs
 * the function, and may be called once at the most. The result of a stream is an async iterable.
 *
 * @example
 * peer.use(async (call, next) => {
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
