import type { Gap } from './interests.ts';
import type { EventListener, Received, SubscribeOptions } from './event-types.ts';
import type { EventHub } from './event-hub.ts';
import { CHANNELS } from '../base/diagnostics.ts';
import { entered } from '../base/harmless.ts';
import { tellHandled } from './event-message.ts';
import type { ReceiveMessage } from './event-message.ts';
import { near } from '../base/near.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import { refuseSelector } from '../presence/set/selector.ts';
import { isPromise, whenSettled } from '../base/value-shape.ts';
import { NO_META, readTrace } from '../wire/beside.ts';
import type { EventFrame } from '../wire/frames.ts';

const NOTHING = (): void => {};
const OPTIONS = ['from', 'signal', 'onGap', 'onError'];

/**
 * A subscription of a listener, as `subscribe` returns it. `using` ends it at the end of the block.
 *
 * @example
 * using subscription = done.subscribe(({ id }) => console.log(id));
 * console.log(subscription.active); // true
 */
export class Subscription implements Disposable {
  readonly #signal: AbortSignal | undefined;
  readonly #gaps = new Gaps();
  readonly #options: SubscribeOptions;
  readonly #local: string;
  readonly #listener: EventListener<unknown>;
  #end: (() => void) | undefined;

  /** @internal Use `subscribe()`. */
  constructor(hub: EventHub, name: string, listener: EventListener<unknown>, options: SubscribeOptions) {
    checkSubscribeOptions(options, OPTIONS);
    if (typeof listener !== 'function')
      throw new TypeError('subscribe(listener): listener must be a function');
    this.#local = hub.id;
    this.#listener = listener;
    this.#options = options;
    this.#signal = options.signal;
    if (options.signal?.aborted) return;
    this.#end = hub.listen(name, options.from ?? {}, {
      take: (peer, event) => this.#take(peer, event),
      missed: (peer, gap) => this.#missed(peer, gap),
      failed: (error) => this.#report(error),
      ended: () => this.unsubscribe(),
    });
    options.signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** Whether the listener still receives events. */
  get active(): boolean {
    return this.#end !== undefined;
  }

  /** Ends the subscription. The listener receives nothing more, not even events that are on their way. */
  unsubscribe(): void {
    this.#end?.();
    this.#end = undefined;
    this.#signal?.removeEventListener('abort', this.#abort);
  }

  /** Ends the subscription, so that `using` works. */
  [Symbol.dispose](): void {
    this.unsubscribe();
  }

  readonly #abort = (): void => this.unsubscribe();

  #take(peer: RemotePeer, event: EventFrame): void {
    const received = this.#gaps.receive(peer, event);
    if (CHANNELS.eventReceive.hasSubscribers) {
      this.#takeTold(received, event.trace === false);
      return;
    }
    try {
      const result = this.#listener(received.payload, received);
      if (isPromise(result)) whenSettled(result, NOTHING, (error) => this.#report(error));
    } catch (error) {
      this.#report(error);
    }
  }

  /** Does the same, and tells of it. */
  #takeTold(received: Received<unknown>, untraced: boolean): void {
    const { peer, name, sequence, meta, trace } = received;
    const beside = { meta, trace, untraced, enter: undefined, error: undefined };
    const message: ReceiveMessage = { local: this.#local, peer, name, sequence, ...beside };
    CHANNELS.eventReceive.publish(message);
    const done = (): void => tellHandled(message);
    const fail = (error: unknown): void => {
      tellHandled(message, { error });
      this.#report(error);
    };
    const { enter } = message;
    const listen = (): unknown => this.#listener(received.payload, received);
    try {
      const result = enter ? entered(enter, listen) : listen();
      if (isPromise(result)) whenSettled(result, done, fail);
      else done();
    } catch (error) {
      fail(error);
    }
  }

  #missed(peer: RemotePeer, gap: Gap): void {
    this.#gaps.note(peer, gap);
    try {
      this.#options.onGap?.(gap, peer);
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    const { onError } = this.#options;
    if (!onError) {
      throwLater(error);
      return;
    }
    try {
      onError(error);
    } catch (another) {
      throwLater(another);
    }
  }
}

/**
 * Throws an error of the user's listener later, as an uncaught exception, like an error in any listener of Node's. It
 * must stop neither the other listeners nor the actor that delivered the event.
 */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** The gaps that one listener will get with the next event of their peer. */
export class Gaps {
  readonly #gaps = new Map<string, Gap>();

  note({ id }: RemotePeer, gap: Gap): void {
    this.#gaps.set(id, joined(this.#gaps.get(id), gap));
  }

  receive(peer: RemotePeer, { name, value, sequence, headers, trace }: EventFrame): Received<unknown> {
    const gap = this.#gaps.size === 0 ? undefined : this.#gaps.get(peer.id);
    if (gap) this.#gaps.delete(peer.id);
    const beside = { meta: headers ?? NO_META, trace: readTrace(trace) };
    return { name, payload: value, peer, sequence, gap, ...beside };
  }
}

/** Joins two gaps with no event between them. */
export function joined(first: Gap | undefined, second: Gap): Gap {
  if (!first) return second;
  const known = first.missed !== undefined && second.missed !== undefined;
  const missed = known ? first.missed + second.missed : undefined;
  return { missed, why: second.why === 'slow' ? first.why : second.why };
}

/**
 * @param known the allowed options
 * @throws TypeError naming the option
 */
export function checkSubscribeOptions(options: SubscribeOptions, known: readonly string[]): void {
  refuseSelector(options, (field) => `give from: { ${field} }`);
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    const [meant] = near(option, known);
    const hint = meant === undefined ? 'the' : `did you mean ${meant}? The`;
    throw new TypeError(
      `there is no option ${JSON.stringify(option)}; ${hint} options are ${known.join(', ')}`,
    );
  }
  const { signal, onGap, onError } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError('signal: give an AbortSignal');
  }
  if (onGap !== undefined && typeof onGap !== 'function') throw new TypeError('onGap: give a function');
  if (onError !== undefined && typeof onError !== 'function') throw new TypeError('onError: give a function');
}
