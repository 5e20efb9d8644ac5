import type { PeerRecord } from '../../connection/link/link.ts';
import type { Clock } from '../../base/time/clock.ts';
import type { PeerMetrics } from './peer-metrics.ts';
import type { PeerInfo } from './peer-info.ts';
import type { PeerWatch } from './peer-watch.ts';
import { DEFAULT_TAGS, isDefaultTag } from '../../base/tag.ts';
import type { Scope } from '../../transport/scope.ts';
import type { CallMeta } from '../../wire/beside.ts';

/**
 * Options of one call.
 *
 * @example
 * await resize.on(peer, { deadline: 500, signal: AbortSignal.timeout(400) })(image, 200);
 */
export interface CallOptions {
  /**
   * How long the call may take, in ms, including dialling and waiting. For a stream: how long the stream may keep its
   * reader waiting. Default: the `deadline` option of the peer. A call that you make inside a function that another peer
   * called ends with that call at the latest.
   */
  deadline?: number | undefined;
  /** Cancels the call when it aborts: the call rejects at once with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * A small object that travels with the call: plain JSON values, at most 4,096 characters of JSON. The function reads it in
   * `current().meta`, hooks read it in `call.meta`. Calls that the function makes do not inherit it.
   */
  meta?: CallMeta | undefined;
}

/** Stands for absent options, so that they need not be checked. */
export const NO_OPTIONS: CallOptions = Object.freeze({});

/** Streams among the arguments of a call that already have an owner. The room `calls` knows more about them. */
export interface Lent {
  /** Ends the streams, unless the call has taken them over. */
  release(): void;
}

/** How busy a peer is, as far as it is known here. */
export interface PeerLoad {
  /** Calls from here that wait or have not settled, and calls of others of the same function. */
  readonly calls: number;
  /** Calls of the function that run there at the same time; Infinity if it has no limit, or none is known. */
  readonly limit: number;
}

/** Makes calls. Wrong options throw a TypeError at once; every other error rejects. */
export interface Calling {
  call(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    /** Called when the result turns out not to be a stream. */
    plain?: () => void,
    /** The streams among the arguments, if they were already taken. */
    lent?: Lent,
  ): Promise<unknown>;
  /** The first `next()` makes the call. */
  stream(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
  ): AsyncGenerator<unknown, unknown, void>;
  /** For a function that may or may not return a stream: the promise can be iterated, too. */
  callUnknown(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    plain: () => void,
  ): Promise<unknown>;
  /** How busy the peer is, for a call of this function. */
  load(record: PeerRecord, tag: string): PeerLoad;
}

/**
 * Another peer, from its join to its leave. After the peer has left, the object stays readable and calls to it fail
 * with NetError NOT_SENT. If the same process comes back, it is another `RemotePeer`.
 *
 * @example
 * for (const peer of await getPeers()) {
 *   console.log(peer.name, peer.functions, `${await peer.ping()} ms`);
 * }
 */
export class RemotePeer {
  /** Its identity, which no other live peer has. */
  readonly id: string;
  /** Its name for people. Several peers may have the same name. */
  readonly name: string;
  /** The group it belongs to. */
  readonly group: string;
  /** Whether it is labelled as a hub. */
  readonly hub: boolean;
  /** Whether it has a pass in place of the secret, and only the rights of the pass. */
  readonly guest: boolean;
  /** Process id, on its own host. */
  readonly pid: number;
  /** The name of its host, as the host calls itself. */
  readonly host: string;
  /** Where it is, as seen from this host. */
  readonly scope: Scope;
  readonly #record: PeerRecord;
  readonly #calling: Calling;
  readonly #clock: Clock;

  /** @internal @param clock clock of the local peer */
  constructor(record: PeerRecord, calling: Calling, clock: Clock) {
    this.id = record.id;
    this.name = record.name;
    this.group = record.group;
    this.hub = record.hub;
    this.guest = record.guest;
    this.pid = record.pid;
    this.host = record.host;
    this.scope = record.scope;
    this.#record = record;
    this.#calling = calling;
    this.#clock = clock;
  }

  /** @internal How busy it is, for a call of this function. */
  loadFor(tag: string): PeerLoad {
    return this.#calling.load(this.#record, tag);
  }

  /** How it is connected at present: directly, or through NATS. Undefined while no connection is open. */
  get network(): 'direct' | 'nats' | undefined {
    const { link } = this.#record;
    return link && (link.socket.isRelayed ? 'nats' : 'direct');
  }

  /** Tags of the functions that it has connected now. */
  get functions(): readonly string[] {
    return [...this.#record.functions];
  }

  /** Returns whether the peer has a function with this tag. Functions that every peer has are not in `functions`. */
  has(tag: string): boolean {
    return this.#record.functions.has(tag) || isDefaultTag(tag);
  }

  /**
   * Calls the function with this tag on the peer, without types; `fn.on(peer)` is the typed way. A result that is a
   * stream arrives as an AsyncGenerator.
   * @throws the error that the function threw, as its own class, or a NetError
   *
   * @example
   * const product = await peer.call('math.multiply', [2, 3], { deadline: 500 });
   */
  call(tag: string, args: readonly unknown[] = [], options: CallOptions = NO_OPTIONS): Promise<unknown> {
    return this.#calling.call(this.#record, tag, args, options);
  }

  /**
   * Asks the peer about itself: versions, uptime, functions, counters, how busy it is. The peer measures for 20 ms before
   * it answers.
   * @throws NetError when the call fails
   *
   * @example
   * const { uptime, loop } = await peer.info();
   */
  info(options: CallOptions = NO_OPTIONS): Promise<PeerInfo> {
    return this.#calling.call(this.#record, DEFAULT_TAGS.info, [], options) as Promise<PeerInfo>;
  }

  /**
   * Asks the peer for its numbers: calls by function and end, streams, bytes, peers, and the delay of its event loop. It counts
   * calls from the first time that somebody asks.
   * @throws NetError when the call fails
   *
   * @example
   * const { ran } = await peer.metrics();
   */
  metrics(options: CallOptions = NO_OPTIONS): Promise<PeerMetrics> {
    return this.#calling.call(this.#record, DEFAULT_TAGS.metrics, [], options) as Promise<PeerMetrics>;
  }

  /**
   * Follows what the peer does: connections, calls, events, joins and leaves. Yields what there is now, and then every 250 ms what
   * has happened since. With `actors: true` it also tells the states of its actors. The peer measures only while somebody watches.
   * @throws while you read: NetError when the call fails
   *
   * @example
   * for await (const { at, functions } of peer.watch()) console.log(at, functions);
   */
  watch(options: CallOptions & { actors?: boolean } = {}): AsyncGenerator<PeerWatch, void, void> {
    const { actors = false, ...others } = options;
    return this.#calling.stream(this.#record, DEFAULT_TAGS.watch, [{ actors }], others) as AsyncGenerator<
      PeerWatch,
      void,
      void
    >;
  }

  /**
   * Measures how long a call takes there and back, in ms.
   * @throws NetError when the call fails
   */
  async ping(options: CallOptions = NO_OPTIONS): Promise<number> {
    const start = this.#clock.now();
    await this.#calling.call(this.#record, DEFAULT_TAGS.ping, [], options);
    return this.#clock.now() - start;
  }

  /**
   * Returns its arguments as they arrived at the peer. Use it to see how values change on the way.
   * @throws NetError when the call fails: NOT_SERIALIZABLE for a value that cannot be carried
   *
   * @example
   * const [date] = await peer.passThrough(new Date());
   */
  passThrough<Args extends unknown[]>(...args: Args): Promise<Args> {
    return this.#calling.call(this.#record, DEFAULT_TAGS.passThrough, args, NO_OPTIONS) as Promise<Args>;
  }

  /**
   * Iterates the stream that the function with this tag returns, without types. The first `next()` makes the call.
   * @throws while you read: the error that the function threw, as its own class, or a NetError; TypeError when the result is not
   *   a stream
   *
   * @example
   * for await (const line of peer.stream('log.follow', ['app.log'])) console.log(line);
   */
  stream(
    tag: string,
    args: readonly unknown[] = [],
    options: CallOptions = NO_OPTIONS,
  ): AsyncGenerator<unknown, unknown, void> {
    return this.#calling.stream(this.#record, tag, args, options);
  }

  /** @internal `call` for a caller that has already taken the streams among the arguments. */
  callWith(
    given: Lent | undefined,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    plain?: () => void,
  ): Promise<unknown> {
    return this.#calling.call(this.#record, tag, args, options, plain, given);
  }

  /** @internal `call` for a function that may or may not return a stream. */
  callUnknown(
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    plain: () => void,
  ): Promise<unknown> {
    return this.#calling.callUnknown(this.#record, tag, args, options, plain);
  }
}
