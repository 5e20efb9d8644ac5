import type { Gap } from './interests.ts';
import { NetError } from '../base/errors.ts';
import type { Received, SubscribeOptions } from './event-types.ts';
import type { EventHub } from './event-hub.ts';
import { whileHolding } from '../base/process/process-hold.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import { Gaps, checkSubscribeOptions, joined, throwLater } from './subscription.ts';

/**
 * Options of `stream`.
 *
 * @example
 * done.stream({ from: { group: 'gpu' }, buffer: 100, overflow: 'throw' });
 */
export interface EventStreamOptions extends Omit<SubscribeOptions, 'onError'> {
  /** How many events may wait while the loop is busy. Default: 1,024. */
  buffer?: number | undefined;
  /**
   * The treatment of one more event. `drop`: the oldest is dropped, and the next event of its peer has a `gap`. `throw`:
   * the loop gets the events that wait, and then throws a NetError OVERLOADED. Default: `drop`.
   */
  overflow?: 'drop' | 'throw' | undefined;
}

const OPTIONS = ['from', 'signal', 'onGap', 'buffer', 'overflow'];

const DEFAULT_BUFFER = 1_024;

interface Waiter<T> {
  resolve: (result: IteratorResult<Received<T>, undefined>) => void;
  reject: (error: unknown) => void;
}

/**
 * Events for a `for await` loop, as `stream` returns them. The loop ends when the signal aborts or the local peer
 * stops. It throws what the selector's `where` throws, and NetError OVERLOADED with `overflow: 'throw'`.
 *
 * @example
 * const stream: EventStream<{ id: string }> = done.stream();
 * for await (const { payload, peer } of stream) console.log(peer.name, payload.id);
 */
export class EventStream<T> implements AsyncIterableIterator<Received<T>>, AsyncDisposable {
  readonly #gaps = new Gaps();
  readonly #buffered: Received<T>[] = [];
  readonly #waiting: Waiter<T>[] = [];
  /** Events that were dropped from the buffer, which the loop has not been told yet. */
  readonly #dropped = new Map<RemotePeer, Gap>();
  readonly #options: EventStreamOptions;
  readonly #most: number;
  readonly #end: () => void;
  #over = false;
  #failed: { error: unknown } | undefined;

  /** @internal Use `stream()`. */
  constructor(hub: EventHub, name: string, options: EventStreamOptions) {
    checkSubscribeOptions(options, OPTIONS);
    const { from = {}, signal, buffer = DEFAULT_BUFFER, overflow = 'drop' } = options;
    if (!Number.isSafeInteger(buffer) || buffer < 1) {
      throw new TypeError('buffer: give a whole number of events, 1 or more');
    }
    if (overflow !== 'drop' && overflow !== 'throw') throw new TypeError("overflow: give 'drop' or 'throw'");
    this.#options = options;
    this.#most = buffer;
    const stop = signal?.aborted
      ? () => {}
      : hub.listen(name, from, {
          take: (peer, event) => this.#take(this.#gaps.receive(peer, event) as Received<T>),
          missed: (peer, gap) => this.#missed(peer, gap),
          failed: (error) => this.#fail(error),
          ended: () => this.#finish(),
        });
    const abort = (): void => {
      this.#buffered.length = 0;
      this.#finish();
    };
    this.#end = () => {
      stop();
      signal?.removeEventListener('abort', abort);
    };
    if (signal?.aborted) this.#over = true;
    else signal?.addEventListener('abort', abort, { once: true });
  }

  /** Returns itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Resolves with the next event. */
  async next(): Promise<IteratorResult<Received<T>, undefined>> {
    const event = this.#buffered.shift();
    if (event) return { done: false, value: this.#withDropped(event) };
    this.#tellDropped();
    // The local peer or the user's `where` ended the stream, and `where` may have thrown any value.
    // oxlint-disable-next-line only-throw-error
    if (this.#failed) throw this.#takeFailure();
    if (this.#over) return { done: true, value: undefined };
    // A loop that waits for events keeps the process alive.
    return whileHolding(new Promise((resolve, reject) => this.#waiting.push({ resolve, reject })));
  }

  /** Ends the subscription, as leaving the loop does. */
  return(): Promise<IteratorResult<Received<T>, undefined>> {
    this.#buffered.length = 0;
    this.#finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends the subscription, so that `await using` works. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #take(event: Received<T>): void {
    const waiter = this.#waiting.shift();
    if (waiter) {
      waiter.resolve({ done: false, value: this.#withDropped(event) });
      return;
    }
    this.#buffered.push(event);
    if (this.#buffered.length <= this.#most) return;
    if (this.#options.overflow === 'throw') {
      this.#buffered.pop();
      const text = `more than ${this.#most} events were waiting for the loop (option buffer)`;
      this.#fail(new NetError('OVERLOADED', text));
      return;
    }
    const { peer, gap } = this.#buffered.shift()!;
    const dropped = joined(this.#dropped.get(peer), { missed: 1, why: 'slow' });
    this.#dropped.set(peer, gap ? joined(gap, dropped) : dropped);
  }

  /** The event as the loop gets it. Its gap includes the events of its peer that were dropped before it. */
  #withDropped(event: Received<T>): Received<T> {
    const dropped = this.#dropped.size === 0 ? undefined : this.#dropped.get(event.peer);
    if (!dropped) return event;
    this.#dropped.delete(event.peer);
    return { ...event, gap: event.gap ? joined(dropped, event.gap) : dropped };
  }

  /** No event is left that could carry the gaps that are still untold. */
  #tellDropped(): void {
    for (const [peer, gap] of this.#dropped) this.#missed(peer, gap);
    this.#dropped.clear();
  }

  #missed(peer: RemotePeer, gap: Gap): void {
    this.#gaps.note(peer, gap);
    try {
      this.#options.onGap?.(gap, peer);
    } catch (error) {
      throwLater(error);
    }
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#end();
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  /** The loop gets the events that wait, and then the error. */
  #fail(error: unknown): void {
    if (this.#over) return;
    const waiter = this.#waiting.shift();
    if (waiter) waiter.reject(error);
    else this.#failed = { error };
    this.#finish();
  }

  #takeFailure(): unknown {
    const { error } = this.#failed!;
    this.#failed = undefined;
    return error;
  }
}
