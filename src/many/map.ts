import { AsyncLocalStorage } from 'node:async_hooks';

import { GivenStreams, orFailure } from '../calls/streams/given-streams.ts';
import { StreamSource } from '../calls/streams/stream-source.ts';
import { OK, endOf } from '../calls/call-end.ts';
import { insideOuterCall, outerCall } from '../calls/context.ts';
import { areCallsWatched, isAnyWatched } from '../calls/call-message.ts';
import { NetError } from '../base/errors.ts';
import { MapInputs } from './map-inputs.ts';
import type { Inputs } from './map-inputs.ts';
import type { MapCall, MapResult } from './map-options.ts';
import { makeAttempt } from './map-work.ts';
import type { Rejected, Work } from './map-work.ts';
import { MapSlots } from './map-slots.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import { ResultQueue } from './results.ts';
import { Attempts } from './retry.ts';
import { readableTag } from '../base/tag.ts';
import { isStream } from '../base/value-shape.ts';
import { whenAborted } from '../base/time/when-aborted.ts';

/** Many calls of one function, spread over all peers that have it. */

/** How many inputs are taken ahead of the loop, as a multiple of those that can run at the same time. */
const AHEAD = 4;

type Result = MapResult<unknown, unknown>;

/** Returns the results. The work begins when the first result is asked for. */
export function callMap(call: MapCall, inputs: Inputs<unknown>): ResultQueue<Result> {
  return new Mapping(call, inputs).results;
}

class Mapping {
  readonly results: ResultQueue<Result>;
  #call: MapCall;
  readonly #inputs: MapInputs<unknown>;
  readonly #leave = new AbortController();
  /** Inputs for the next free peer, in order. */
  readonly #queue: Work[] = [];
  readonly #slots: MapSlots;
  /** Results that wait for those of earlier inputs, by index. */
  readonly #held = new Map<number, Result>();
  /** The index of the next result, when they are ordered. */
  #nextIndex = 0;
  #taken = 0;
  /** Inputs whose result the loop has not received yet. */
  #ahead = 0;
  #done = 0;
  #failed = 0;
  /** The time since when no peer has been present, on the clock. */
  #aloneSince = 0;
  #timer: unknown;
  /** The error that the loop throws at the end. */
  #failure: { error: unknown } | undefined;
  #busy = false;
  #over = false;
  /** Runs a step in the asynchronous context in which the loop began, for those who trace. */
  #inside: <T>(step: () => T) => T = (step) => step();
  /** Stops watching the signal and the peers. */
  #detach: () => void = () => {};

  constructor(call: MapCall, inputs: Inputs<unknown>) {
    this.#call = call;
    this.#slots = new MapSlots(call.candidates.pool.balance, call.concurrency, call.candidates.tag);
    this.#inputs = new MapInputs(
      inputs,
      (input) => this.#then(() => this.#arrived(input)),
      () => this.#then(),
    );
    this.results = new ResultQueue({
      started: () => this.#start(),
      taken: () => {
        this.#ahead -= 1;
        this.#then();
      },
      left: () => {
        const { tag } = call.candidates;
        this.#stop(new NetError('CANCELLED', 'the loop over the results ended before this result', { tag }));
      },
    });
  }

  #start(): void {
    this.#call = { ...this.#call, ...insideOuterCall(this.#call) };
    if (isAnyWatched() || areCallsWatched() || outerCall()) this.#inside = AsyncLocalStorage.snapshot();
    const { candidates, signal } = this.#call;
    const { source, clock } = candidates.pool;
    this.#aloneSince = clock.now();
    if (signal?.aborted) {
      this.#fail(signal.reason);
      return;
    }
    const unwatch = signal && whenAborted(signal, (reason) => this.#fail(reason));
    const unsubscribe = source.subscribe(
      () => this.#then(() => this.#look()),
      (error) => this.#then(() => this.#giveUp(error)),
    );
    this.#detach = () => {
      unwatch?.();
      unsubscribe();
    };
    // Starts the local peer. `subscribe` reports a failed start.
    if (!source.searched) source.settled().catch(() => {});
    this.#then(() => this.#look());
  }

  /** Reads which peers are present now. */
  #look(): void {
    try {
      this.#slots.peers = this.#call.candidates.list();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#slots.peers.length > 0) this.#aloneSince = Infinity;
    else if (this.#aloneSince === Infinity) this.#aloneSince = this.#now();
    this.#tell();
  }

  #arrived(input: unknown): void {
    const index = this.#taken;
    this.#taken += 1;
    this.#ahead += 1;
    let args: readonly unknown[];
    let given: GivenStreams | undefined;
    try {
      args = this.#call.args(input, index);
      if (!Array.isArray(args)) throw new TypeError('map: args(input) must return an array of arguments');
      given = GivenStreams.among(args, true);
    } catch (error) {
      this.#reject({ index, input, peer: undefined }, error);
      return;
    }
    const attempts = new Attempts(this.#call.idempotent, given);
    const work = { index, input, args, given, attempts, end: Infinity, any: undefined, peer: undefined };
    this.#queue.push(work);
    given?.onFailure((error) => this.#then(() => this.#drop(work, error)));
  }

  /** A stream among the arguments failed. When a peer already has the input, its call fails. */
  #drop(work: Work, error: unknown): void {
    const at = this.#queue.indexOf(work);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#reject(work, error);
  }

  /**
   * Runs a step that may settle inputs, then gives inputs to peers while there are both. The loop may take a settled
   * input at once and so call this again in the middle; the inner call waits until the outer one is done.
   */
  #then(step: () => void = () => {}): void {
    if (this.#busy) {
      step();
      return;
    }
    this.#busy = true;
    step();
    for (let peer = this.#nextFree(); peer; peer = this.#nextFree()) this.#send(this.#queue.shift()!, peer);
    this.#busy = false;
    this.#endWhenDone();
    this.#setTimer();
  }

  /** The peer for the next input, once there is an input. */
  #nextFree(): RemotePeer | undefined {
    if (this.#over) return undefined;
    const peer = this.#slots.free();
    // An input that cannot be turned into arguments settles at once, and the next one is asked for.
    while (peer && this.#queue.length === 0 && this.#mayAsk()) this.#inputs.ask();
    return this.#queue.length > 0 ? peer : undefined;
  }

  #mayAsk(): boolean {
    const { over, asked } = this.#inputs;
    return !this.#over && !over && !asked && this.#ahead < AHEAD * this.#slots.size;
  }

  #send(work: Work, peer: RemotePeer): void {
    const { candidates, time, meta } = this.#call;
    const now = this.#now();
    if (work.end === Infinity) work.end = now + time;
    work.peer = peer;
    this.#slots.take(peer);
    const signal = orFailure(this.#leave.signal, work.given);
    const options = { deadline: Math.max(0, work.end - now), signal, meta };
    this.#inside(() => makeAttempt(work, candidates, peer, options)).then(
      (value) => this.#then(() => this.#answered(peer, work, value)),
      (error: unknown) => this.#then(() => this.#failedAt(peer, work, error)),
    );
  }

  #answered(peer: RemotePeer, { index, input, given, any }: Work, value: unknown): void {
    this.#slots.release(peer);
    given?.release();
    this.#call.candidates.pool.balance.took(peer);
    if (isStream(value)) {
      // The stream would end with the loop. For a known function, the type says that it cannot be mapped.
      new StreamSource(value).end();
      const text = `${readableTag(this.#call.candidates.tag)} returns a stream, which map cannot use; call it with on(peer) or any()`;
      this.#reject({ index, input, peer, any }, new TypeError(text));
      return;
    }
    any?.message?.finish(OK);
    this.#settle({ index, input, status: 'fulfilled', value, peer });
  }

  #failedAt(peer: RemotePeer, work: Work, error: unknown): void {
    this.#slots.release(peer);
    if (this.#over) {
      work.given?.release();
      work.any?.message?.finish(endOf(error));
      return;
    }
    if (!work.attempts.mayRepeat(error)) {
      this.#reject(work, work.attempts.final(error));
      return;
    }
    this.#call.candidates.pool.balance.rest(peer);
    this.#queue.push(work);
  }

  #reject({ index, input, peer, given, any }: Rejected, reason: unknown): void {
    given?.release();
    any?.message?.finish(endOf(reason));
    this.#failed += 1;
    this.#settle({ index, input, status: 'rejected', reason, peer });
  }

  #settle(result: Result): void {
    if (this.#over) return;
    this.#done += 1;
    if (this.#call.ordered) this.#held.set(result.index, result);
    else this.results.push(result);
    for (let next; (next = this.#held.get(this.#nextIndex)); this.#nextIndex += 1) {
      this.#held.delete(this.#nextIndex);
      this.results.push(next);
    }
    this.#tell();
  }

  /** One timer for everything that may happen without an answer. */
  #setTimer(): void {
    const { candidates } = this.#call;
    const { balance, clock } = candidates.pool;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#over) return;
    const idle = this.#inputs.over && this.#queue.length === 0;
    const next = Math.min(
      idle ? Infinity : this.#aloneSince + this.#call.time,
      balance.nextAwake(this.#slots.peers),
      ...this.#queue.map(({ end }) => end),
    );
    if (next === Infinity) return;
    const delay = Math.max(0, Math.ceil(next - clock.now()));
    this.#timer = clock.setTimeout(() => this.#then(() => this.#wake()), delay);
  }

  #wake(): void {
    const { candidates, time } = this.#call;
    const now = this.#now();
    for (const work of this.#queue.filter(({ end }) => end <= now)) {
      this.#queue.splice(this.#queue.indexOf(work), 1);
      const { attempts } = work;
      const text = 'the deadline passed before another peer could take the call';
      const details = { ran: 'no', tag: candidates.tag, cause: attempts.last } as const;
      this.#reject(work, attempts.final(new NetError('DEADLINE_EXCEEDED', text, details)));
    }
    if (this.#aloneSince + time <= now) this.#giveUp(candidates.nobody());
  }

  /**
   * Takes no more inputs. Inputs that wait for a peer are rejected. The loop throws after it has the results of those
   * that still run.
   */
  #giveUp(error: unknown): void {
    if (!this.#inputs.over) this.#failure = { error };
    this.#inputs.close();
    for (const work of this.#queue.splice(0)) {
      this.#reject(work, work.attempts.final(work.attempts.last ?? error));
    }
  }

  #endWhenDone(): void {
    if (this.#over || !this.#inputs.over || this.#queue.length > 0 || this.#slots.running > 0) return;
    this.#stop(undefined);
    const failure = this.#inputs.failure ?? this.#failure;
    if (failure) this.results.fail(failure.error);
    else this.results.end();
  }

  /** Ends the loop at once. */
  #fail(error: unknown): void {
    if (this.#over) return;
    this.#stop(error);
    this.results.clear();
    this.results.fail(error);
  }

  /** @param reason the reason that the calls under way are cancelled with */
  #stop(reason: unknown): void {
    this.#over = true;
    this.#call.candidates.pool.clock.clearTimeout(this.#timer);
    this.#detach();
    this.#inputs.close();
    for (const { given, any } of this.#queue) {
      given?.release();
      any?.message?.finish(endOf(reason));
    }
    this.#leave.abort(reason);
  }

  #tell(): void {
    const { onProgress } = this.#call;
    if (!onProgress) return;
    const { running, peers } = this.#slots;
    const { total } = this.#inputs;
    try {
      onProgress({ done: this.#done, failed: this.#failed, running, peers: peers.length, total });
    } catch (error) {
      this.#fail(error);
    }
  }

  #now(): number {
    return this.#call.candidates.pool.clock.now();
  }
}
