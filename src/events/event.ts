import { EVERY_EVENT } from './topics.ts';
import type { EventHub } from './event-hub.ts';
import { refuseUnknown } from '../base/option-checks.ts';
import type { EmitOptions, EventListener, SubscribeOptions, SubscribedOptions } from './event-types.ts';
import { EventStream } from './event-stream.ts';
import type { EventStreamOptions } from './event-stream.ts';
import { whileHolding } from '../base/process/process-hold.ts';
import type { AtLeast } from '../presence/set/at-least.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import { Subscription } from './subscription.ts';
import { LONGEST_EVENT_NAME, isEventName } from '../wire/guards.ts';

const EMIT_OPTIONS: Record<keyof EmitOptions, true> = { meta: true };

const READY_OPTIONS: Record<keyof SubscribedOptions, true> = { min: true, signal: true };

/**
 * A named event that peers emit and subscribe to. An event goes only to other peers that subscribe; a peer does not
 * receive its own events. Each subscriber gets the events of one peer in order and at most once, and is told when it
 * missed some.
 *
 * @example
 * export const done = event<{ id: string }>('job.done');
 * done.emit({ id: '42' }); // in one process
 * done.subscribe(({ id }, { peer }) => console.log(`${peer.name} has done ${id}`)); // in others
 */
export class NetEvent<T> {
  /** The name of the event, 1 to 256 characters. */
  readonly name: string;
  readonly #hub: () => EventHub;

  /** @internal Use `event()`. @param hub called at the first use, and not before */
  constructor(name: string, hub: () => EventHub) {
    if (!isEventName(name)) {
      throw new TypeError(`event(name): name must be a string of 1 to ${LONGEST_EVENT_NAME} characters`);
    }
    this.name = name;
    this.#hub = hub;
  }

  /** The peers that are subscribed now, in any group. */
  get subscribers(): RemotePeer[] {
    return this.#hub().subscribers(this.name);
  }

  /**
   * Sends the event to the peers that are subscribed, and returns how many they are. It never waits. Events that a slow
   * subscriber cannot take yet wait in this process, up to `limits.events` bytes; then the oldest is dropped, unless
   * `slowSubscribers` says otherwise.
   * @throws NetError NOT_SERIALIZABLE or TOO_LARGE, whether or not a peer is subscribed; TypeError for the name `*`, an unknown
   *   option, or a `meta` that is not a small plain object
   *
   * @example
   * const count = done.emit({ id: '42' });
   */
  emit(payload: T, options: EmitOptions = {}): number {
    if (this.name === EVERY_EVENT)
      throw new TypeError("'*' stands for every event; emit an event by its own name");
    if (typeof options !== 'object' || options === null) {
      throw new TypeError('emit(payload, options): options must be an object, such as { meta: { tenant } }');
    }
    refuseUnknown('option', options, EMIT_OPTIONS);
    return this.#hub().emit(this.name, payload, options.meta);
  }

  /**
   * Resolves when no event of this peer, of any name, waits for a subscriber: each was handed to the network or dropped.
   * Use it when you emit much at once and would rather wait than lose some. Also resolves when this peer stops.
   *
   * @example
   * for (const id of ids) {
   *   done.emit({ id });
   *   await done.drained();
   * }
   */
  drained(): Promise<void> {
    return whileHolding(this.#hub().drained());
  }

  /**
   * Resolves with the peers that are subscribed, as soon as there are at least `min`. The process stays alive meanwhile.
   * @param options how many peers, and a signal that ends the wait
   * @throws the signal's reason, and for `AbortSignal.timeout()` a TimeoutError that says what is missing; NetError STOPPED when the local peer stops; TypeError for wrong options
   *
   * @example
   * await done.ready({ min: 2, signal: AbortSignal.timeout(5_000) });
   */
  ready<N extends number = 1>(
    options: SubscribedOptions & { min?: N | undefined } = {},
  ): Promise<AtLeast<N>> {
    refuseUnknown('option', options, READY_OPTIONS);
    const { min = 1, signal } = options;
    if (!Number.isSafeInteger(min) || min < 1) throw new TypeError('min: give a whole number, 1 or more');
    return this.#hub().subscribed(this.name, min, signal) as Promise<AtLeast<N>>;
  }

  /**
   * Calls the listener with every event of the selected peers, from now on until you end the subscription. This includes
   * peers that join later and peers that come back after a lost connection. It does not keep the process alive. A
   * subscription that a module made at its top level ends when a development server evaluates the module again, and the
   * module subscribes again.
   * @throws TypeError for a listener that is not a function, and for unknown or wrong options
   *
   * @example
   * const subscription = done.subscribe(({ id }) => console.log(id), { from: { group: 'gpu' } });
   * subscription.unsubscribe();
   */
  subscribe(listener: EventListener<T>, options: SubscribeOptions = {}): Subscription {
    return new Subscription(this.#hub(), this.name, listener as EventListener<unknown>, options);
  }

  /**
   * Subscribes for a `for await` loop. The subscription begins with this call. It ends when the loop is left, when the
   * signal aborts, when the local peer stops or, as with `subscribe`, when the module is evaluated again. Events that arrive while the loop is busy wait, up to `buffer` of them. The
   * process stays alive while the loop waits.
   * @throws TypeError for unknown or wrong options
   *
   * @example
   * for await (const { payload, peer } of done.stream({ from: { group: 'gpu' } })) console.log(peer.name, payload.id);
   */
  stream(options: EventStreamOptions = {}): EventStream<T> {
    return new EventStream(this.#hub(), this.name, options);
  }
}
