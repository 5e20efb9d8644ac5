import type { PeerRecord } from '../connection/link.ts';
import type { Clock } from '../base/clock.ts';
import type { PeerInfo } from './peer-info.ts';
import { DEFAULT_TAGS, isDefaultTag } from '../base/tag.ts';
import type { Scope } from '../transport/scope.ts';

/** How one call is made. */
export interface CallOptions {
  /**
   * How long it may take, in ms, dialling and waiting included. Of a stream: how long it may keep its reader waiting.
   * Default: the peer's `deadline` option. Inside a function that was called from elsewhere it ends, at the latest,
   * with that call.
   */
  deadline?: number | undefined;
  /** Takes the call back: it rejects at once with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** What stands for options that nobody gave: it need not be looked at. */
export const NO_OPTIONS: CallOptions = Object.freeze({});

/** Streams among the arguments of a call, whose owner they have already; the room of calls knows more of them. */
export interface Lent {
  /** Ends them, unless their call has them. */
  release(): void;
}

/** How calls are made. For bad options a TypeError is thrown at once; everything else rejects. */
export interface Calling {
  call(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    /** Is told when the result has turned out to be no stream. */
    plain?: () => void,
    /** The streams among the arguments, if somebody has taken them already. */
    lent?: Lent,
  ): Promise<unknown>;
  /** The call is made by the first `next()`. */
  stream(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
  ): AsyncGenerator<unknown, unknown, void>;
  /** For a function of which it is not known yet whether it returns a stream: the promise can be iterated, too. */
  callUnknown(
    record: PeerRecord,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    plain: () => void,
  ): Promise<unknown>;
  /** Calls from here that wait, or whose function has not settled there. */
  load(record: PeerRecord): number;
}

/**
 * Another peer, from its join to its leave. After it has left the object stays readable, and calls to it fail
 * with NOT_SENT; if the same process comes back it is another RemotePeer.
 */
export class RemotePeer {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly hub: boolean;
  /** Process id, on its own host. */
  readonly pid: number;
  /** Its host's name for itself. */
  readonly host: string;
  readonly scope: Scope;
  readonly #record: PeerRecord;
  readonly #calling: Calling;
  readonly #clock: Clock;

  /** @param clock of the peer that calls */
  constructor(record: PeerRecord, calling: Calling, clock: Clock) {
    this.id = record.id;
    this.name = record.name;
    this.group = record.group;
    this.hub = record.hub;
    this.pid = record.pid;
    this.host = record.host;
    this.scope = record.scope;
    this.#record = record;
    this.#calling = calling;
    this.#clock = clock;
  }

  /** @internal Calls from here that wait, or whose function has not settled there. */
  get load(): number {
    return this.#calling.load(this.#record);
  }

  /** Tags of the functions it has connected, now. */
  get functions(): readonly string[] {
    return [...this.#record.functions];
  }

  /** Whether it has this function; those that every peer has are not among its `functions`. */
  has(tag: string): boolean {
    return this.#record.functions.has(tag) || isDefaultTag(tag);
  }

  /**
   * Runs the function `tag` there, without types; `fn.on(peer)` is the typed way. A result that is a stream is an
   * AsyncGenerator.
   * @throws what the function threw, as its own class, or a NetError
   */
  call(tag: string, args: readonly unknown[] = [], options: CallOptions = NO_OPTIONS): Promise<unknown> {
    return this.#calling.call(this.#record, tag, args, options);
  }

  /**
   * What it says about itself: versions, uptime, functions, counters, how busy it is. Takes it 20 ms to find out.
   * @throws NetError
   */
  info(options: CallOptions = NO_OPTIONS): Promise<PeerInfo> {
    return this.#calling.call(this.#record, DEFAULT_TAGS.info, [], options) as Promise<PeerInfo>;
  }

  /**
   * How long a call takes there and back, in ms.
   * @throws NetError
   */
  async ping(options: CallOptions = NO_OPTIONS): Promise<number> {
    const start = this.#clock.now();
    await this.#calling.call(this.#record, DEFAULT_TAGS.ping, [], options);
    return this.#clock.now() - start;
  }

  /**
   * Gives its arguments back as they came there: for a look at what becomes of values on the way.
   * @throws NetError, NOT_SERIALIZABLE among them
   */
  passThrough<Args extends unknown[]>(...args: Args): Promise<Args> {
    return this.#calling.call(this.#record, DEFAULT_TAGS.passThrough, args, NO_OPTIONS) as Promise<Args>;
  }

  /**
   * Iterates what the function `tag` returns there, without types. The call is made by the first `next()`.
   * @throws while it is read: what the function threw, as its own class, or a NetError; TypeError when the result
   *   is no stream
   */
  stream(
    tag: string,
    args: readonly unknown[] = [],
    options: CallOptions = NO_OPTIONS,
  ): AsyncGenerator<unknown, unknown, void> {
    return this.#calling.stream(this.#record, tag, args, options);
  }

  /** @internal `call` for who has taken the streams among the arguments already. */
  callWith(
    given: Lent | undefined,
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    plain?: () => void,
  ): Promise<unknown> {
    return this.#calling.call(this.#record, tag, args, options, plain, given);
  }

  /** @internal `call` for a function of which it is not known yet whether it returns a stream. */
  callUnknown(
    tag: string,
    args: readonly unknown[],
    options: CallOptions,
    plain: () => void,
  ): Promise<unknown> {
    return this.#calling.callUnknown(this.#record, tag, args, options, plain);
  }
}
