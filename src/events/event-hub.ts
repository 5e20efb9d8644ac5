import { createEventsLogic } from './events.ts';
import type { EventsLogic } from './events.ts';
import type { Gap } from './interests.ts';
import type { EventsMessage } from './messages.ts';
import type { PeerRecord } from '../connection/link/link.ts';
import { CHANNELS } from '../base/diagnostics.ts';
import { traceOfEmit } from './event-message.ts';
import type { GapMessage } from './event-message.ts';
import { EVERY_EVENT } from './topics.ts';
import type { SlowSubscribers, Topics } from './topics.ts';
import { NetError } from '../base/errors.ts';
import { evaluationUnderWay } from '../base/reload/evaluation.ts';
import { ModuleListeners } from '../base/reload/module-listeners.ts';
import type { Clock } from '../base/time/clock.ts';
import type { Log } from '../base/log.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import type { Selector } from '../presence/set/selector.ts';
import { peerLine } from '../base/peer-line.ts';
import { NO_META, encodeBeside } from '../wire/beside.ts';
import type { CallMeta, WireTrace } from '../wire/beside.ts';
import type { EventFrame } from '../wire/frames.ts';
import { emitBeyond, hearingBeyond } from '../presence/beyond-pass.ts';
import { missingSubscribers } from './missing-subscribers.ts';
import { orWhatIsMissing } from '../presence/set/missing.ts';
import { NotSerializable } from '../wire/values/not-serializable.ts';
import { TooLarge } from '../wire/too-large.ts';
import { follow, until } from '../presence/set/view.ts';
import type { Follower, PeerSource, View } from '../presence/set/view.ts';

/** Names that a name without subscribers is compared with, and warnings of beyond a pass, at most. */
const MOST_NAMES = 256;

/** A listener for the events of one name, from the peers that match its selector. */
export interface Listener {
  take: (peer: RemotePeer, event: EventFrame) => void;
  missed: (peer: RemotePeer, gap: Gap) => void;
  /** The selector's `where` threw. */
  failed: (error: unknown) => void;
  /** The local peer has ended, or the module that listens was evaluated again. */
  ended: () => void;
}

interface Listening {
  readonly listener: Listener;
  readonly view: View;
}

/** A name that has listeners here. */
interface Interest {
  /** Never changed, only replaced: a listener may add or remove others while it is called. */
  listening: readonly Listening[];
  /** By peer id: how many of the listeners want its events. */
  readonly wanted: Map<string, number>;
}

/** The peer's settings that concern events. */
export interface EventSettings {
  /** Id of the local peer. */
  id: string;
  clock: Clock;
  log: Log;
  slowSubscribers: SlowSubscribers;
  stacks: boolean;
  /** `message` is in bytes, the others are counts. */
  limits: { message: number; subscriptions: number; events: number };
}

/** The events of one local peer: connects the listeners and selectors of users with the `events` actor. */
export class EventHub {
  /** Id of the local peer. */
  readonly id: string;
  readonly source: PeerSource;
  readonly logic: EventsLogic;
  /** What this peer emits. */
  readonly topics: Topics;
  readonly #largest: number;
  readonly #trace: () => WireTrace | undefined;
  readonly #find: (id: string) => RemotePeer | undefined;
  readonly #interests = new Map<string, Interest>();
  readonly #ofModules = new ModuleListeners();
  /** Called whenever a peer subscribes or unsubscribes. */
  readonly #waiting = new Set<() => void>();
  readonly #warned = new WeakSet<PeerRecord>();
  /** Warnings of what the pass of this peer does not allow. */
  readonly #beyond = new Set<string>();
  #send: ((message: EventsMessage) => void) | undefined;

  /** @param trace the trace of the call that is running here, if one is */
  constructor(
    settings: EventSettings,
    source: PeerSource,
    find: (id: string) => RemotePeer | undefined,
    trace: () => WireTrace | undefined,
  ) {
    const { clock, limits, log, slowSubscribers, stacks } = settings;
    this.id = settings.id;
    this.source = source;
    this.#find = find;
    this.#trace = trace;
    this.#largest = limits.message;
    const { logic, topics } = createEventsLogic({
      clock,
      subscriptions: limits.subscriptions,
      largest: limits.message,
      stacks,
      waiting: limits.events,
      slow: slowSubscribers,
      log,
      changed: () => {
        for (const again of this.#waiting) again();
      },
      deliver: (interest, id, event) =>
        this.#tell(interest, id, (listener, peer) => listener.take(peer, event)),
      missed: (interest, id, gap) => {
        if (CHANNELS.eventGap.hasSubscribers) this.#publishGap(interest, id, gap);
        this.#tell(interest, id, (listener, peer) => listener.missed(peer, gap));
      },
      refused: (name, record) => {
        log.subscriptionWaits(record, name);
        this.#warn(name, record);
      },
    });
    this.logic = logic;
    this.topics = topics;
  }

  /** Other peers can exist from now on. Before this, no event could have been sent. */
  start(send: (message: EventsMessage) => void): void {
    this.#send = send;
  }

  /** No other peers exist from now on. */
  stop(): void {
    this.#send = undefined;
  }

  /** @throws NetError NOT_SERIALIZABLE, TOO_LARGE; TypeError for a wrong `meta` */
  emit(name: string, payload: unknown, meta: CallMeta | undefined): number {
    this.#warnBeyond(emitBeyond(this.source.ownRights, name), 'nobody gets it');
    const beside = encodeBeside(meta, traceOfEmit(this.id, name, meta ?? NO_META, this.#trace()));
    try {
      return this.topics.emit(name, payload, beside);
    } catch (error) {
      const text = `the event ${JSON.stringify(name)} cannot be emitted: `;
      if (TooLarge.is(error)) {
        const what = `it is larger than the ${this.#largest} bytes that a message may have (limits.message)`;
        throw new NetError('TOO_LARGE', text + what);
      }
      if (!NotSerializable.is(error)) throw error;
      throw new NetError('NOT_SERIALIZABLE', text + error.message, { cause: error.cause });
    }
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#send) this.#send({ type: 'event.drain', drained: resolve });
      else resolve();
    });
  }

  /** The peers that want events of this name. */
  subscribers(name: string): RemotePeer[] {
    const peers = this.topics.subscribers(name).map((id) => this.#find(id));
    return peers.filter((peer) => peer !== undefined);
  }

  subscribed(name: string, min: number, signal: AbortSignal | undefined): Promise<RemotePeer[]> {
    const enough = (): RemotePeer[] | undefined => {
      const found = this.subscribers(name);
      return found.length >= min ? found : undefined;
    };
    const wait = until(this.source, signal, enough, (again) => {
      this.#waiting.add(again);
      return () => this.#waiting.delete(again);
    });
    if (!signal) return wait;
    return orWhatIsMissing(wait, 'the subscribers', () => {
      const names = this.topics.watched(MOST_NAMES).map((topic) => topic.name);
      return missingSubscribers(this.source, name, { found: this.subscribers(name).length, min, names });
    });
  }

  /**
   * Returns a function that ends it.
   * @throws TypeError for an invalid selector; what its `where` throws
   */
  listen(name: string, from: Selector, listener: Listener): () => void {
    const follower: Follower = {
      changed: ({ type, peer }) => {
        if (type === 'join') this.#want(name, peer);
        else if (type === 'leave') this.#unwant(name, peer);
      },
      failed: (error) => listener.failed(error),
      ended: () => listener.ended(),
    };
    const view = follow(this.source, from, follower);
    this.#warnBeyond(hearingBeyond(this.source.ownRights, name), 'its subscriptions hear nothing');
    const listening: Listening = { listener, view };
    const interest = this.#interests.get(name) ?? { listening: [], wanted: new Map<string, number>() };
    this.#interests.set(name, interest);
    interest.listening = [...interest.listening, listening];
    for (const peer of view.inside) this.#want(name, peer);
    const forget = this.#ofModules.add(evaluationUnderWay(), name, () => listener.ended());
    return () => {
      if (!interest.listening.includes(listening)) return;
      forget();
      view.stop();
      interest.listening = interest.listening.filter((each) => each !== listening);
      for (const peer of view.inside) this.#unwant(name, peer);
      if (interest.listening.length > 0) return;
      this.#interests.delete(name);
      this.#send?.({ type: 'event.forgotten', name });
    };
  }

  /** Calls `tell` for each listener to the name whose selector matches this peer. */
  #tell(name: string, id: string, tell: (listener: Listener, peer: RemotePeer) => void): void {
    const peer = this.#find(id);
    const interest = this.#interests.get(name);
    if (!peer || !interest) return;
    for (const each of interest.listening) {
      // The listener before it may have ended this one.
      if (each.view.inside.has(peer) && interest.listening.includes(each)) tell(each.listener, peer);
    }
  }

  #publishGap(name: string, id: string, gap: Gap): void {
    const peer = this.#find(id);
    if (!peer) return;
    const message: GapMessage = { ...gap, local: this.id, peer, name };
    CHANNELS.eventGap.publish(message);
  }

  #want(name: string, { id: peer }: RemotePeer): void {
    const { wanted } = this.#interests.get(name)!;
    const count = wanted.get(peer) ?? 0;
    wanted.set(peer, count + 1);
    if (count === 0) this.#send?.({ type: 'event.wanted', name, peer });
  }

  #unwant(name: string, { id: peer }: RemotePeer): void {
    const { wanted } = this.#interests.get(name)!;
    const count = wanted.get(peer)!;
    if (count > 1) {
      wanted.set(peer, count - 1);
    } else {
      wanted.delete(peer);
      this.#send?.({ type: 'event.unwanted', name, peer });
    }
  }

  /** Warns once of a name that the pass of this peer does not allow. It has no other effect, as nobody could tell of it. */
  #warnBeyond(beyond: string | undefined, effect: string): void {
    if (beyond === undefined || this.#beyond.has(beyond) || this.#beyond.size >= MOST_NAMES) return;
    this.#beyond.add(beyond);
    process.emitWarning(`${beyond}; ${effect}`, 'AppNetWarning');
  }

  #warn(name: string, record: PeerRecord): void {
    if (this.#warned.has(record)) return;
    this.#warned.add(record);
    const most = record.link?.limits.subscriptions;
    const events = name === EVERY_EVENT ? 'every event' : JSON.stringify(name);
    process.emitWarning(
      `the subscription to ${events} at ${peerLine(record)} waits: that peer allows ${most} subscriptions at a time ` +
        '(its limits.subscriptions); end one of them, or raise the limit there',
      'AppNetWarning',
    );
  }
}
