import { GivenStreams } from '../calls/streams/given-streams.ts';
import { callAny } from '../many/any.ts';
import type { AnyOptions } from '../many/any.ts';
import { byId } from './by-id.ts';
import { checkCallOptions } from '../calls/caller/call-options.ts';
import { NO_OPTIONS } from '../presence/set/remote-peer.ts';
import type { Pool } from '../many/pool.ts';
import type { Inputs } from '../many/map-inputs.ts';
import type { MapOptions } from '../many/map-options.ts';
import { all, anyCall, map } from '../many/many.ts';
import type { AllFunction, MapFunction } from '../many/many.ts';
import { kindOf } from '../calls/callee/registry.ts';
import type { FunctionKind } from '../calls/callee/registry.ts';
import type { AnyFunction, Remote } from '../base/function-types.ts';
import type { CallOptions, RemotePeer } from '../presence/set/remote-peer.ts';
import { RemoteStream, asStream } from '../calls/streams/remote-stream.ts';
import type { Selector } from '../presence/set/selector.ts';
import { readableTag } from '../base/tag.ts';
import { shared } from '../base/shared.ts';
import type { FunctionThreads } from '../threads/pools.ts';
import { threadCalls } from './thread-calls.ts';

/**
 * The peer to call: a `RemotePeer`, or the id of one.
 *
 * @example
 * const square = remote<(n: number) => number>('math.square');
 * await square.on('7f1dGx2kQm')(3); // 9
 */
export type Target = RemotePeer | string;

/**
 * The ways to call a function on other peers. `connect` adds them to a function, and `remote` returns them for a
 * function that only other peers have.
 *
 * @example
 * const square = remote<(n: number) => number>('math.square');
 * await square.on(peer)(3); // on this peer
 * await square.any()(3); // on one peer that has it
 */
export interface RemoteFunction<F extends AnyFunction> {
  /** The name of the function on the wire. */
  readonly tag: string;
  /**
   * Returns the function as it runs on one peer.
   * @param peer the peer, or its id
   * @param options apply to each call that you make with the returned function
   * @throws TypeError for a value that is not a peer or an id, or for wrong options. A call rejects with the error
   *   that the function threw, or with a NetError.
   *
   * @example
   * const small = await resize.on(peer, { deadline: 500 })(image, 200);
   */
  on(peer: Target, options?: CallOptions): Remote<F>;
  /**
   * Returns the function as it runs on one of the peers that have it. It picks two peers at random, and calls the
   * one that has fewer calls from this process. A peer whose function has a limit also tells how many calls of others it
   * has, and these count, too. If the peer cannot take the call, another one gets it, within the same deadline. A call that was lost and may have run is repeated only if the function is connected as `idempotent`.
   * @param select which peers may get the call. Default: the peers of your own group
   * @throws A call rejects with the error that the function threw, or with a NetError: NO_SUCH_TAG when no peer has the function.
   *
   * @example
   * await resize.any({ group: 'gpu' }, { wait: true })(image, 200);
   */
  any(select?: Selector, options?: AnyOptions): Remote<F>;
  /**
   * Calls the function on every peer that has it, and gives results as they arrive. The calls are sent at once, whether
   * or not you iterate. Leaving the loop cancels the rest.
   *
   * @example
   * for await (const result of resize.all()(image, 200)) console.log(result.peer.name, result.status);
   */
  readonly all: AllFunction<F>;
  /**
   * Calls the function for many inputs, spread over the peers that have it, and gives one result per input as results
   * arrive. It begins when the loop begins, and takes inputs as peers become free.
   *
   * @example
   * for await (const result of resize.map(images, { args: (image) => [image, 200] })) {
   *   if (result.status === 'fulfilled') console.log(result.index, result.value);
   * }
   */
  readonly map: MapFunction<F>;
}

/**
 * The function that was given to `connect`, with the ways to call it on other peers. A plain call runs here. It is the
 * same function object, except with the option `parity`.
 *
 * @example
 * const add: Connected<(a: number, b: number) => number> = connect('add', (a, b) => a + b);
 * add(1, 2); // here
 * await add.on(peer)(1, 2); // there
 */
export type Connected<F extends AnyFunction> = F & RemoteFunction<F>;

/**
 * A connected function that also runs in worker threads: the option `threads` of `connect`.
 *
 * @example
 * const primes: Threaded<(to: number) => number[]> = connect('primes', (to) => [to], { threads: 2 });
 * primes(10); // here, in this thread
 * await primes.thread()(10); // in another thread of this process
 */
export type Threaded<F extends AnyFunction> = Connected<F> & {
  /**
   * Returns the function as it runs in a worker thread of this process. Arguments and results are carried as in a call to
   * another process.
   * @param options apply to each call that you make with the returned function
   * @throws TypeError for wrong options. A call rejects with the error that the function threw, or with a NetError: THREAD_LOST
   *   when the thread ended, OVERLOADED when too many calls wait
   *
   * @example
   * const heavy = connect('heavy', (n: number) => n * n, { threads: 2 });
   * const squared = await heavy.thread({ deadline: 5_000 })(1_000);
   */
  thread(options?: CallOptions): Remote<F>;
};

export interface ConnectedState {
  readonly tag: string;
  /** Its threads, one for each local peer that runs it in threads. */
  threads?: FunctionThreads[];
  /** Whether it may run twice without harm. */
  idempotent: boolean;
  /** The local peers that it is connected to, oldest first. */
  readonly pools: Pool[];
}

const states = shared('connected.1', () => new WeakMap<AnyFunction, ConnectedState>());

/** The tag under which the function is connected, to any peer. */
export function tagOf(fn: AnyFunction): string | undefined {
  return states.get(fn)?.tag;
}

/** Makes a stand-in count as the connected function. */
export function alias(standIn: AnyFunction, fn: AnyFunction): void {
  states.set(standIn, states.get(fn)!);
}

/**
 * Adds `tag`, `on`, `any`, `all` and `map` to the function itself.
 * @throws TypeError when it is connected under another tag, or cannot be given these properties
 */
export function attach<F extends AnyFunction>(
  fn: F,
  { tag, idempotent }: { tag: string; idempotent: boolean },
  pool: Pool,
): Connected<F> {
  const state = states.get(fn);
  if (state) {
    if (state.tag !== tag) throw new TypeError(secondTag(state.tag, tag));
    // `idempotent` describes the function, so it holds once it was said, for every peer.
    state.idempotent ||= idempotent;
    if (!state.pools.includes(pool)) state.pools.push(pool);
    return fn as Connected<F>;
  }
  const created: ConnectedState = { tag, idempotent, pools: [pool] };
  const remote = remoteFunction<F>(created, kindOf(fn));
  const taken = Object.keys(remote).filter((key) => Object.hasOwn(fn, key));
  if (taken.length > 0 || !Object.isExtensible(fn)) {
    const why = taken.length > 0 ? `already has its own property ${taken.join(' and ')}` : 'is frozen';
    throw new TypeError(
      `${fn.name || 'the function'} cannot be connected, because it ${why}; connect another function that calls it`,
    );
  }
  for (const [key, value] of Object.entries(remote)) Object.defineProperty(fn, key, { value });
  states.set(fn, created);
  return fn as Connected<F>;
}

/** Adds `thread` to a connected function. @param threads undefined in a thread, which has no threads of its own */
export function attachThreads(fn: AnyFunction, threads: FunctionThreads | undefined): void {
  const state = states.get(fn)!;
  state.threads ??= [];
  if (threads) state.threads.push(threads);
  if (Object.hasOwn(fn, 'thread')) return;
  const value = threadCalls(fn, () => state.threads!);
  Object.defineProperty(fn, 'thread', { value });
}

function secondTag(known: string, tag: string): string {
  return (
    `the function is already connected as ${readableTag(known)}; to give it a second tag, connect a ` +
    `second function: connect('${readableTag(tag)}', (...args) => fn(...args))`
  );
}

/**
 * Returns the same function with the type of a connected one. You need it for a method decorated with `@connect()`,
 * because decorators cannot change types.
 * @throws TypeError for a function that is not connected
 *
 * @example
 * class Greeter {
 *   @connect() static greet(name: string) {
 *     return `hello, ${name}`;
 *   }
 * }
 * await connected(Greeter.greet).on(peer)('you');
 */
export function connected<F extends AnyFunction>(fn: F): Connected<F> {
  if (states.has(fn)) return fn as Connected<F>;
  throw new TypeError(`${fn.name || 'the function'} is not connected; use connect(fn) or @connect() first`);
}

/**
 * Everything that a connected function has beside the function. Calls by id go out from the first local peer that sees
 * the id.
 */
export function remoteFunction<F extends AnyFunction>(
  state: ConnectedState,
  kind: FunctionKind = 'unknown',
): RemoteFunction<F> {
  const { tag, pools } = state;
  let known = kind;
  // A function that has returned a plain value does not return streams. Its calls need only a promise.
  const plain = (): void => {
    known = 'promise';
  };
  const on = (peer: Target, options: CallOptions = NO_OPTIONS): Remote<F> => {
    if (options !== NO_OPTIONS) checkCallOptions(options);
    const target = typeof peer === 'string' ? byId(peer, pools) : peer;
    if (typeof (target as RemotePeer | null)?.call !== 'function') {
      throw new TypeError('on(peer): peer must be a peer from getPeers(), or the id of one');
    }
    const call = (...args: readonly unknown[]): unknown => {
      if (known === 'promise') return target.call(tag, args, options);
      if (known === 'stream') return target.stream(tag, args, options);
      return target.callUnknown(tag, args, options, plain);
    };
    return call as unknown as Remote<F>;
  };
  const target = {
    tag,
    get idempotent() {
      return state.idempotent;
    },
    // A local peer that has stopped is used only if there is no other.
    pool: () => pools.find(({ source }) => !source.ended) ?? pools[0]!,
  };
  const many = {
    any: (select?: Selector, options?: AnyOptions) => {
      const call = anyCall(target, select, options);
      return (...args: readonly unknown[]) => {
        if (known === 'promise') return callAny(call, args);
        if (known !== 'stream') return asStream(callAny(call, args, plain));
        const given = GivenStreams.among(args, true);
        return new RemoteStream(() => callAny({ ...call, streams: true }, args, undefined, given), given);
      };
    },
    all: (select?: Selector, options?: CallOptions) => all(target, select, options),
    map: (inputs: Inputs<unknown>, options?: MapOptions) => map(target, inputs, options),
  };
  return { tag, on, ...many } as unknown as RemoteFunction<F>;
}
