import type { TopicsCounters } from '../presence/set/peer-info.ts';
import type { Log } from '../base/log.ts';
import { encodeEvent, encodeFrame, encodePayload, eventHead } from '../wire/codec.ts';
import type { SubscribeFrame, UnsubscribeFrame } from '../wire/frames.ts';
import { fits } from '../wire/outgoing.ts';
import { TooLarge } from '../wire/too-large.ts';
import { EventPost } from './event-post.ts';
import { EncodedEvent, EventQueue } from './event-queue.ts';
import type { Link, PeerRecord } from '../connection/link/link.ts';

/** The emitter's half of events: the subscribers of each name, and the events that wait for slow subscribers. */

/** Stands for every name. */
export const EVERY_EVENT = '*';

/**
 * How many names without subscribers keep their sequence, so that a subscriber that returns learns how many it missed.
 */
const MOST_IDLE = 4_096;

/**
 * The treatment of a subscriber that is too slow: its oldest events are dropped, or its connection is ended.
 *
 * @example
 * const slowSubscribers: SlowSubscribers = 'disconnect';
 * configure({ slowSubscribers });
 */
export type SlowSubscribers = 'drop' | 'disconnect';

export interface TopicsInput {
  /** Names that one peer may be subscribed to. */
  subscriptions: number;
  /** Bytes of the largest message that is sent to any peer. */
  largest: number;
  /** Whether errors within payloads are sent with their stack. */
  stacks: boolean;
  /** Bytes that may wait for one subscriber. */
  waiting: number;
  /** What happens to a subscriber when more would have to wait for it. */
  slow: SlowSubscribers;
  log: Log;
  /** The subscribers of an event changed. */
  changed: (name: string) => void;
}

/** One name and its subscribers. */
class Topic {
  readonly name: string;
  readonly head: string;
  readonly subscribers = new Set<Subscriber>();
  /** Sequence of the newest event. */
  sequence: number;

  constructor(name: string, sequence: number) {
    this.name = name;
    this.head = eventHead(name);
    this.sequence = sequence;
  }
}

/** A peer that subscribes to events of this one, while it is present. */
class Subscriber {
  readonly record: PeerRecord;
  readonly names = new Set<string>();
  readonly queue = new EventQueue();
  /** The link that was ended because the subscriber was too slow. Nothing more is sent on it. */
  cut: Link | undefined;
  /** Whether events are being dropped. This is logged once, until the subscriber has caught up. */
  dropping = false;

  constructor(record: PeerRecord) {
    this.record = record;
  }
}

export class Topics {
  readonly #counters: TopicsCounters;
  readonly #input: TopicsInput;
  readonly #subscribers = new Map<PeerRecord, Subscriber>();
  /** Names with subscribers. */
  readonly #wanted = new Map<string, Topic>();
  /** Names that were emitted and have no subscriber now, oldest first. */
  readonly #idle = new Map<string, Topic>();
  /** The subscribers to everything. */
  readonly #everything = new Set<Subscriber>();
  readonly #post = new EventPost();
  #waitingForDrain: (() => void)[] = [];

  constructor(input: TopicsInput, counters: TopicsCounters) {
    this.#input = input;
    this.#counters = counters;
  }

  /** Ids of the peers that want events of this name. */
  subscribers(name: string): string[] {
    const all = new Set([...(this.#wanted.get(name)?.subscribers ?? []), ...this.#everything]);
    return [...all].map(({ record }) => record.id);
  }

  /** The names with subscribers, those of `*` left out: at most so many. */
  watched(most: number): { name: string; sequence: number; ids: string[] }[] {
    const topics = [...this.#wanted.values()].slice(0, most);
    return topics.map(({ name, sequence, subscribers }) => {
      return { name, sequence, ids: [...subscribers].map(({ record }) => record.id) };
    });
  }

  /** Subscribers for which events wait, the most events first. */
  queues(most: number): { record: PeerRecord; queue: EventQueue; dropping: boolean }[] {
    const slow = [...this.#subscribers.values()].filter(({ queue }) => queue.size > 0);
    return slow.toSorted((a, b) => b.queue.size - a.queue.size).slice(0, most);
  }

  /**
   * Sends the event to the subscribers, and returns how many there are. It is always encoded, so that a payload that
   * cannot be carried is refused even when there is no subscriber.
   * @throws NotSerializable; TooLarge
   */
  emit(name: string, payload: unknown, beside = ''): number {
    const { largest, stacks } = this.#input;
    // This comes first: a getter in the payload may itself emit, subscribe or stop this peer.
    const end = encodePayload(payload, stacks, largest, beside);
    const topic = this.#wanted.get(name) ?? this.#idleTopic(name);
    const sequence = topic.sequence + 1;
    const frame = encodeEvent(topic.head, sequence, end);
    if (!fits(frame, largest)) throw new TooLarge();
    // Nothing after this line can fail.
    topic.sequence = sequence;
    this.#counters.emitted += 1;
    const { subscribers } = topic;
    if (subscribers.size + this.#everything.size === 0) return 0;
    const event = new EncodedEvent(name, sequence, frame);
    let count = subscribers.size;
    for (const subscriber of subscribers) this.#send(subscriber, event);
    for (const subscriber of this.#everything) {
      if (subscribers.has(subscriber)) continue;
      count += 1;
      this.#send(subscriber, event);
    }
    this.#post.done();
    return count;
  }

  subscribe(link: Link, { id, name }: SubscribeFrame): void {
    const { record } = link;
    // The peer has left, but its last frames still arrive.
    if (record.left) return;
    const subscriber = this.#subscribers.get(record) ?? new Subscriber(record);
    if (!subscriber.names.has(name)) {
      if (subscriber.names.size >= this.#input.subscriptions) {
        link.breach(`it has more than ${this.#input.subscriptions} subscriptions`);
        return;
      }
      this.#subscribers.set(record, subscriber);
      subscriber.names.add(name);
      if (name === EVERY_EVENT) this.#everything.add(subscriber);
      else this.#wantedTopic(name).subscribers.add(subscriber);
      this.#input.changed(name);
    }
    const sequence = this.#lastSent(subscriber, name);
    (record.link ?? link).send(encodeFrame({ type: 'subscribed', id, sequence }));
  }

  unsubscribe(link: Link, { name }: UnsubscribeFrame): void {
    const subscriber = this.#subscribers.get(link.record);
    if (!subscriber?.names.delete(name)) return;
    if (!subscriber.names.has(EVERY_EVENT)) this.#counters.queued -= subscriber.queue.remove(name);
    this.#withdraw(subscriber, name);
    this.#tellDrained();
  }

  /** Sends the events that waited for this peer, while the network takes them. */
  pump(record: PeerRecord): void {
    const subscriber = this.#subscribers.get(record);
    if (!subscriber) return;
    const { queue } = subscriber;
    const { link } = record;
    while (link && !link.slow) {
      const event = queue.shift();
      if (!event) break;
      this.#counters.queued -= 1;
      this.#transmit(link, event);
    }
    this.#post.done();
    if (queue.size === 0) subscriber.dropping = false;
    this.#tellDrained();
  }

  /** Calls back when no event waits for any subscriber. */
  whenDrained(callback: () => void): void {
    this.#waitingForDrain.push(callback);
    this.#tellDrained();
  }

  left(record: PeerRecord): void {
    const subscriber = this.#subscribers.get(record);
    if (!subscriber) return;
    this.#subscribers.delete(record);
    this.#clear(subscriber);
    for (const name of subscriber.names) this.#withdraw(subscriber, name);
  }

  stop(): void {
    for (const record of this.#subscribers.keys()) this.left(record);
  }

  #send(subscriber: Subscriber, event: EncodedEvent): void {
    const { queue, record } = subscriber;
    const { link } = record;
    if (link && !link.slow && queue.size === 0) {
      this.#transmit(link, event);
      return;
    }
    if (link && link === subscriber.cut) {
      this.#counters.dropped += 1;
      return;
    }
    queue.push(event);
    this.#counters.queued += 1;
    if (queue.bytes <= this.#input.waiting) return;
    if (this.#input.slow === 'disconnect') {
      this.#counters.disconnected += 1;
      subscriber.cut = link;
      this.#input.log.subscriberSlow(record, false);
      this.#clear(subscriber);
      // What is already written would never go out either.
      link?.socket.terminate();
      return;
    }
    if (!subscriber.dropping) this.#input.log.subscriberSlow(record, true);
    subscriber.dropping = true;
    // The newest event always stays, however large: it tells the subscriber that events before it are missing.
    while (queue.bytes > this.#input.waiting && queue.size > 1) {
      queue.shift();
      this.#counters.queued -= 1;
      this.#counters.dropped += 1;
    }
  }

  #transmit(link: Link, { frame }: EncodedEvent): void {
    // The subscriber notices from the sequence that one is missing.
    if (!fits(frame, link.limits.message)) {
      this.#counters.dropped += 1;
      return;
    }
    this.#counters.sent += 1;
    this.#post.put(link, frame);
  }

  #clear({ queue }: Subscriber): void {
    this.#counters.queued -= queue.size;
    this.#counters.dropped += queue.size;
    queue.clear();
    this.#tellDrained();
  }

  /** Events of this name that are sent from now on have a higher sequence. */
  #lastSent({ queue }: Subscriber, name: string): number {
    if (name === EVERY_EVENT) return 0;
    const waiting = queue.first(name);
    return waiting ? waiting.sequence - 1 : this.#wantedTopic(name).sequence;
  }

  #withdraw(subscriber: Subscriber, name: string): void {
    const topic = this.#wanted.get(name);
    if (name === EVERY_EVENT) this.#everything.delete(subscriber);
    topic?.subscribers.delete(subscriber);
    if (topic?.subscribers.size === 0) {
      this.#wanted.delete(name);
      this.#keepIdle(topic);
    }
    this.#input.changed(name);
  }

  #wantedTopic(name: string): Topic {
    const known = this.#wanted.get(name);
    if (known) return known;
    const topic = this.#idle.get(name) ?? this.#create(name);
    this.#idle.delete(name);
    this.#wanted.set(name, topic);
    return topic;
  }

  #idleTopic(name: string): Topic {
    const known = this.#idle.get(name);
    if (known) return known;
    const topic = this.#create(name);
    this.#keepIdle(topic);
    return topic;
  }

  /**
   * If the name was forgotten, its old sequence was at most the number of all events emitted, so it starts from there.
   */
  #create(name: string): Topic {
    return new Topic(name, this.#counters.emitted);
  }

  #keepIdle(topic: Topic): void {
    this.#idle.set(topic.name, topic);
    const [oldest] = this.#idle.keys();
    if (oldest !== undefined && this.#idle.size > MOST_IDLE) this.#idle.delete(oldest);
  }

  #tellDrained(): void {
    if (this.#counters.queued > 0 || this.#waitingForDrain.length === 0) return;
    const callbacks = this.#waitingForDrain;
    this.#waitingForDrain = [];
    for (const callback of callbacks) callback();
  }
}
