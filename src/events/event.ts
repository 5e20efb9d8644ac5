import { EVERY_EVENT } from './topics.ts';
import type { EventHub } from './event-hub.ts';
import type { EventListener, SubscribeOptions, SubscribedOptions } from './event-types.ts';
import { EventStream } from './event-stream.ts';
import type { EventStreamOptions } from './event-stream.ts';
import { whileHolding } from '../base/process-hold.ts';
import type { RemotePeer } from '../presence/remote-peer.ts';
import { Subscription } from './subscription.ts';
import { LONGEST_EVENT_NAME, isEventName } from '../wire/guards.ts';

/**
 * A name under which peers tell each other that something happened. Events go to those other peers that subscribe, and
 * to nobody else; a peer's own do not come back to itself. Each subscriber gets the events of one peer in order and at
 * most once, and is told when it missed some.
 *
 * @example
 * export const done = event<{ id: string }>('job.done');
 * done.emit({ id: '42' }); // in one process
 * done.subscribe(({ id }, { peer, gap }) => console.log(`${peer.name} has done ${id}`)); // in others
 */
export class NetEvent<T> {
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

  /** The peers that are subscribed, now, in whatever group they are. */
  get subscribers(): RemotePeer[] {
    return this.#hub().subscribers(this.name);
  }

  /**
   * Tells the peers that are subscribed, and returns how many these are. Never waits: what a slow one cannot take yet
   * waits in this process, up to `limits.events`, and then the oldest is dropped.
   * @throws NetError NOT_SERIALIZABLE or TOO_LARGE, whether or not anybody is subscribed
   */
  emit(payload: T): number {
    if (this.name === EVERY_EVENT)
      throw new TypeError("'*' stands for every event; emit an event by its own name");
    return this.#hub().emit(this.name, payload);
  }

  /**
   * Resolves when no event of this peer waits here for anybody any more: each was handed to the network, or dropped.
   * For those who emit much at once and would rather wait than lose some. Also resolves when this peer stops.
   */
  drained(): Promise<void> {
    return whileHolding(this.#hub().drained());
  }

  /**
   * Resolves with the peers that are subscribed, as soon as there are enough of them. The process is kept alive
   * meanwhile.
   * @throws the signal's reason; NetError STOPPED when the local peer stops
   */
  ready({ min = 1, signal }: SubscribedOptions = {}): Promise<RemotePeer[]> {
    if (!Number.isSafeInteger(min) || min < 1) throw new TypeError('min: give a whole number, 1 or more');
    return this.#hub().subscribed(this.name, min, signal);
  }

  /**
   * Calls the listener with every event of the peers that `from` means, from now on and until the subscription is
   * ended: also of those that join later, and again after a connection was lost. It does not keep the process alive.
   * @throws TypeError for options that cannot be meant
   */
  subscribe(listener: EventListener<T>, options: SubscribeOptions = {}): Subscription {
    return new Subscription(this.#hub(), this.name, listener as EventListener<unknown>, options);
  }

  /**
   * The same for `for await`. Subscribed from this call on, until the loop is left, the signal aborts or the local peer
   * stops. What comes while the loop is busy waits, up to `buffer` events. The process is kept alive while the loop waits.
   * @throws TypeError for options that cannot be meant
   *
   * @example
   * for await (const { payload, peer } of done.stream({ from: { group: 'gpu' } })) console.log(peer.name, payload.id);
   */
  stream(options: EventStreamOptions = {}): EventStream<T> {
    return new EventStream(this.#hub(), this.name, options);
  }
}
