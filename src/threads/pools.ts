import { isAbsolute } from 'node:path';

import type { CallSite } from '../base/call-site.ts';
import { abortSignal, milliseconds } from '../base/option-checks.ts';
import { NetError } from '../base/errors.ts';
import { markFailure } from '../calls/callee/call-failures.ts';
import type { AnyFunction } from '../base/function-types.ts';
import type { Load, LoadWatcher } from '../calls/callee/limited.ts';
import { RunningCall } from '../calls/callee/running-call.ts';
import type { ForwardHouse, ForwardedCall, Threads } from '../calls/callee/threads.ts';
import { Call } from '../calls/caller/call.ts';
import { checkCallOptions } from '../calls/caller/call-options.ts';
import { outerCall } from '../calls/context.ts';
import { GivenStreams } from '../calls/streams/given-streams.ts';
import { RemoteStream, asStream } from '../calls/streams/remote-stream.ts';
import type { PeerMetrics } from '../presence/set/peer-metrics.ts';
import { NO_OPTIONS } from '../presence/set/remote-peer.ts';
import type { PeerSource } from '../presence/set/view.ts';
import type { CallOptions } from '../presence/set/remote-peer.ts';
import type { Link } from '../connection/link/link.ts';
import { encodeBeside } from '../wire/beside.ts';
import { passOnRequests } from '../wire/unread/passed-on.ts';
import type { PassedOn } from '../wire/unread/unread-request.ts';
import { shapeOf } from '../base/value-shape.ts';
import { CallsForThreads } from './calls-for-threads.ts';
import { Job } from './job.ts';
import { ThreadPool } from './pool.ts';
import type { PoolInput } from './pool.ts';
import type { ThreadSettings } from './thread-options.ts';

export interface PoolsInput extends Omit<PoolInput, 'outgoing'> {
  /** The other peers. */
  peers: PeerSource;
  /** The deadline of a call that has none of its own, in ms. */
  deadline: number;
}

/** The pools of one peer. Functions of one file with the same options share one. */
export class ThreadPools {
  readonly #input: PoolsInput;
  readonly #outgoing: CallsForThreads;
  readonly #pools = new Map<string, ThreadPool>();
  /** A function of each pool. */
  readonly #firstTags = new Map<ThreadPool, string>();
  /** Whether pools load a thread before the first call. */
  #isWarm = false;

  constructor(input: PoolsInput) {
    this.#input = input;
    this.#outgoing = new CallsForThreads({ ...input, id: input.record.id });
  }

  /** @throws TypeError for code that is in no file */
  of(tag: string, place: CallSite | undefined, settings: ThreadSettings): FunctionThreads {
    const file = place?.file;
    if (file === undefined || !isAbsolute(file))
      throw new TypeError(
        'threads: each thread loads the file that calls connect(), and this code is in no file; move connect() to a file',
      );
    const key = JSON.stringify([file, settings]);
    let pool = this.#pools.get(key);
    if (!pool) {
      pool = new ThreadPool({ ...this.#input, outgoing: this.#outgoing }, file, settings);
      this.#pools.set(key, pool);
      this.#firstTags.set(pool, tag);
      if (this.#isWarm) pool.warm(tag);
    }
    return new FunctionThreads(tag, pool, this.#input.deadline);
  }

  /** From now on, one thread of each pool is loaded before the first call. */
  warm(): void {
    this.#isWarm = true;
    for (const [pool, tag] of this.#firstTags) pool.warm(tag);
  }

  /** The numbers of all pools together. */
  metrics(): PeerMetrics['threads'] {
    const sum = { alive: 0, running: 0, waiting: 0, started: 0, crashed: 0, killed: 0 };
    for (const pool of this.#pools.values()) {
      const { threads, running, waiting } = pool.figures();
      sum.alive += threads;
      sum.running += running;
      sum.waiting += waiting;
      for (const what of ['started', 'crashed', 'killed'] as const) sum[what] += pool.counts[what];
    }
    return sum;
  }

  /** Ends all threads. Resolves when they have ended. */
  async end(why: string): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.end(why)));
  }
}

/** A call that is made here. */
interface Made {
  args: readonly unknown[];
  /** In ms. */
  time: number;
  signals: AbortSignal[];
  given: GivenStreams | undefined;
  /** The way to the peer that it is made for; undefined if this process itself calls. */
  caller: Link | undefined;
  beside: string;
  /** Called when the result turns out not to be a stream. */
  plain: (() => void) | undefined;
}

/** One function, as it runs in threads. */
export class FunctionThreads implements Threads {
  readonly pool: ThreadPool;
  readonly #tag: string;
  readonly #deadline: number;

  constructor(tag: string, pool: ThreadPool, deadline: number) {
    this.#tag = tag;
    this.pool = pool;
    this.#deadline = deadline;
    passOnRequests(tag);
  }

  get figures(): Threads['figures'] {
    return this.pool.figures(this.#tag);
  }

  get load(): Load {
    return this.pool.load;
  }

  get hasRoom(): boolean {
    return this.pool.hasRoom;
  }

  get watchers(): Set<LoadWatcher> {
    return this.pool.watchers;
  }

  forward(call: ForwardedCall, request: PassedOn, house: ForwardHouse): void {
    const { pool } = this;
    const job = new Job(this.#tag, call.link.record, pool, call.receivedAt, call.deadlineAt);
    job.forward(call, request, house);
    pool.add(job);
  }

  /** Calls the function for another process, with the values that hooks have seen. */
  readonly run: AnyFunction = (...args: readonly unknown[]): Promise<unknown> => {
    const ours = (error: unknown): never => {
      const { id } = this.pool.record;
      if (error instanceof NetError && error.peer === id && error.tag === this.#tag && error.ran !== 'yes')
        markFailure(error);
      // oxlint-disable-next-line only-throw-error -- as it came
      throw error;
    };
    const outer = outerCall();
    const given = GivenStreams.among(args);
    const signals = [...(outer ? [outer.signal] : []), ...(given ? [given.signal] : [])];
    const caller = outer instanceof RunningCall ? outer.link : undefined;
    const beside = encodeBeside(outer?.meta, outer?.travels);
    const time = outer?.deadline ?? Infinity;
    return this.#make({ args, time, signals, given, caller, beside, plain: undefined }).catch(ours);
  };

  /** @throws TypeError for wrong options; all other failures reject */
  call(
    args: readonly unknown[],
    options: CallOptions,
    plain?: () => void,
    lent?: GivenStreams,
  ): Promise<unknown> {
    const given = lent ?? GivenStreams.among(args);
    let time: number;
    let beside: string;
    const signals: AbortSignal[] = [];
    const outer = outerCall();
    try {
      if (options !== NO_OPTIONS) checkCallOptions(options);
      time = milliseconds('deadline', options.deadline, this.#deadline);
      const signal = abortSignal('signal', options.signal);
      if (signal) signals.push(signal);
      beside = encodeBeside(options.meta, outer?.travels);
    } catch (error) {
      given?.release();
      throw error;
    }
    if (outer) {
      time = Math.min(time, outer.deadline);
      signals.push(outer.signal);
    }
    if (given && !lent) signals.push(given.signal);
    return this.#make({ args, time, signals, given, caller: undefined, beside, plain });
  }

  #make({ args, time, signals, given, caller, beside, plain }: Made): Promise<unknown> {
    const { pool } = this;
    const tag = this.#tag;
    const now = pool.now();
    const end = now + time;
    return new Promise((resolve) => {
      const settle = (value: unknown): void => {
        if (plain && shapeOf(value) === 'value') plain();
        resolve(value);
      };
      const watched = signals.length > 0 ? signals : undefined;
      const call = new Call(
        pool.record,
        tag,
        args,
        time,
        end,
        settle,
        watched,
        undefined,
        given,
        beside,
        now,
        undefined,
      );
      const job = new Job(tag, caller?.record ?? pool, pool, now, end);
      job.call = call;
      job.caller = caller;
      pool.add(job);
    });
  }

  /** The first `next()` makes the call. */
  stream(args: readonly unknown[], options: CallOptions): AsyncGenerator<unknown, unknown, void> {
    const given = GivenStreams.among(args, true);
    return new RemoteStream(() => this.call(args, options, undefined, given), given);
  }

  /** For a function that may or may not return a stream. */
  callUnknown(args: readonly unknown[], options: CallOptions, plain: () => void): Promise<unknown> {
    return asStream(this.call(args, options, plain));
  }
}
