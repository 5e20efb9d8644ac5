import type { InterestsCounters } from '../presence/set/peer-info.ts';
import { encodeFrame } from '../wire/codec.ts';
import type { EventFrame, SubscribedFrame } from '../wire/frames.ts';
import type { Link, PeerRecord } from '../connection/link/link.ts';
import type { LeaveReason } from '../connection/link/evidence.ts';
import { EVERY_EVENT } from './topics.ts';

/** The subscriber's half of events: what this peer wants from each other peer, and which events it has missed. */

/** How many lost peers are remembered for each name, so that their return is reported with a gap. */
const MOST_LOST = 1_024;

/** How many names that this peer has unsubscribed from at one peer are remembered; the newest are kept. */
const MOST_GIVEN_UP = 1_024;

/** In a subscription to everything: how many names of one emitter have their sequence checked. */
const MOST_NAMES = 1_024;

/**
 * Events of one peer that this peer did not receive.
 *
 * @example
 * done.subscribe(() => {}, {
 *   onGap: ({ missed, why }: Gap, peer) => console.log(`missed ${missed ?? 'some'} of ${peer.name}: ${why}`),
 * });
 */
export interface Gap {
  /**
   * How many events were missed; undefined when the number cannot be known. If the emitter has used thousands of names
   * meanwhile, it is an upper limit.
   */
  readonly missed: number | undefined;
  /**
   * `slow`: events arrived faster than they were taken, and the oldest were dropped. `disconnected`: the connection was
   * lost for a while. `restarted`: the peer was lost and came back as a new life.
   */
  readonly why: 'slow' | 'disconnected' | 'restarted';
}

export interface InterestsInput {
  /** Delivers an event to the subscribers of `interest`, which is its name or `'*'`. */
  deliver: (interest: string, peer: string, event: EventFrame) => void;
  /** Called as soon as the gap is known, and before the next event of that peer. */
  missed: (interest: string, peer: string, gap: Gap) => void;
  /** The peer allows no more subscriptions (its `limits.subscriptions`), so this one has to wait. */
  refused: (name: string, peer: PeerRecord) => void;
}

/** A name at one peer. */
class Source {
  readonly name: string;
  /** Id of the newest subscribe frame; 0 while the subscription waits for room. */
  asked = 0;
  /** Id of the first subscribe frame. If another one is answered first, what came in between cannot be counted. */
  first = 0;
  /** Id of the subscribe frame that was answered last. */
  answered = 0;
  /** Sequence of the newest event that was received, or may have been; undefined before the first answer. */
  last: number | undefined;
  /**
   * Its events already arrive through a subscription to everything, although its own subscribe frame is not answered.
   */
  isAhead = false;
  /** The newest sequence of each name, in a subscription to everything. */
  readonly byName: Map<string, number> | undefined;
  /** What was known before the peer was lost. */
  readonly before: Lost | undefined;

  constructor(name: string, before: Lost | undefined) {
    this.name = name;
    this.before = before;
    this.byName = name === EVERY_EVENT ? new Map() : undefined;
  }
}

interface Lost {
  incarnation: string;
  /** Undefined when the peer was lost before it had answered. */
  last: number | undefined;
}

/** A name that this process subscribes to. */
class Interest {
  readonly sources = new Map<PeerRecord, Source>();
  /** By peer id. */
  readonly lost = new Map<string, Lost>();
}

/** The subscriptions at one peer. */
class Asked {
  readonly sources = new Set<Source>();
  /** By the id of each subscribe frame that has not been answered. */
  readonly unanswered = new Map<number, Source>();
  /** Waiting for room at the peer, or for a link to it. */
  readonly waiting = new Set<Source>();
  /**
   * The newest of the names that were unsubscribed. Each new link repeats them, as the last link may not have carried
   * them.
   */
  readonly givenUp = new Set<string>();
  newest = 0;
  /** Unanswered subscribe frames on the present link. */
  open = 0;
  /** Only frames with a higher id belong to the present link. */
  before = 0;
}

/** How many names this peer may be subscribed to there; none for a name that a guest may not emit, and need not know. */
function roomFor(name: string, { link, rights }: PeerRecord): number {
  if (rights && name !== EVERY_EVENT && !rights.mayEmit(name)) return 0;
  return link?.limits.subscriptions ?? 0;
}

export class Interests {
  readonly #counters: InterestsCounters;
  readonly #input: InterestsInput;
  readonly #wantLink: (record: PeerRecord) => void;
  readonly #interests = new Map<string, Interest>();
  /** The peers that are present, by id. */
  readonly #records = new Map<string, PeerRecord>();
  readonly #asked = new Map<PeerRecord, Asked>();

  /** @param wantLink called when a subscription waits for a peer that is present and not linked */
  constructor(input: InterestsInput, counters: InterestsCounters, wantLink: (record: PeerRecord) => void) {
    this.#input = input;
    this.#counters = counters;
    this.#wantLink = wantLink;
  }

  want(name: string, peer: string): void {
    const record = this.#records.get(peer);
    if (!record) return;
    const interest = this.#interests.get(name) ?? new Interest();
    this.#interests.set(name, interest);
    if (interest.sources.has(record)) return;
    const source = new Source(name, interest.lost.get(peer));
    interest.lost.delete(peer);
    interest.sources.set(record, source);
    record.interests += 1;
    this.#counters.subscriptions += 1;
    this.#ask(record, source);
  }

  unwant(name: string, peer: string): void {
    const record = this.#records.get(peer);
    const interest = this.#interests.get(name);
    const source = record && interest?.sources.get(record);
    if (!source) return;
    interest!.sources.delete(record);
    record.interests -= 1;
    this.#counters.subscriptions -= 1;
    const asked = this.#asked.get(record)!;
    if (asked.waiting.delete(source)) return;
    asked.sources.delete(source);
    record.link?.send(encodeFrame({ type: 'unsubscribe', name }));
    asked.givenUp.add(name);
    const [oldest] = asked.givenUp;
    if (oldest !== undefined && asked.givenUp.size > MOST_GIVEN_UP) asked.givenUp.delete(oldest);
    this.#askNext(record, asked);
  }

  /** Nobody here subscribes to the name any more. */
  forget(name: string): void {
    const interest = this.#interests.get(name);
    if (!interest) return;
    for (const { id } of interest.sources.keys()) this.unwant(name, id);
    this.#interests.delete(name);
  }

  /**
   * Sends every subscription again on a new link: the other side may have lost the last link, and the subscriptions
   * with it.
   */
  opened({ record }: Link): void {
    this.#records.set(record.id, record);
    const asked = this.#asked.get(record);
    if (!asked) return;
    const sources = [...asked.sources, ...asked.waiting];
    asked.sources.clear();
    asked.waiting.clear();
    asked.open = 0;
    asked.before = asked.newest;
    for (const name of asked.givenUp) record.link?.send(encodeFrame({ type: 'unsubscribe', name }));
    for (const source of sources) {
      source.isAhead = false;
      this.#ask(record, source);
    }
  }

  joined(record: PeerRecord): void {
    this.#records.set(record.id, record);
  }

  /** The link is lost. What this peer wants is asked for again on the next one. */
  closed({ record }: Link): void {
    if (record.interests > 0 && !record.link && !record.left) this.#wantLink(record);
  }

  left(record: PeerRecord, why: LeaveReason): void {
    for (const interest of this.#interests.values()) {
      const source = interest.sources.get(record);
      if (!source) continue;
      interest.sources.delete(record);
      this.#counters.subscriptions -= 1;
      // A peer that says goodbye has sent everything. A new life of it starts without a history.
      const last = source.last ?? source.before?.last;
      if (why === 'stopped' || (source.asked === 0 && last === undefined)) continue;
      interest.lost.set(record.id, { incarnation: record.incarnation, last });
      const [oldest] = interest.lost.keys();
      if (oldest !== undefined && interest.lost.size > MOST_LOST) interest.lost.delete(oldest);
    }
    this.#asked.delete(record);
    if (this.#records.get(record.id) === record) this.#records.delete(record.id);
  }

  subscribed({ record }: Link, { id, sequence }: SubscribedFrame): void {
    const asked = this.#asked.get(record);
    const source = asked?.unanswered.get(id);
    if (!source) return;
    asked!.unanswered.delete(id);
    if (id > asked!.before) asked!.open -= 1;
    this.#answered(record, source, id, sequence);
    this.#askNext(record, asked!);
  }

  #answered(record: PeerRecord, source: Source, id: number, sequence: number): void {
    // The subscription has ended meanwhile.
    if (!this.#asked.get(record)!.sources.has(source)) return;
    source.answered = id;
    if (source.isAhead) {
      source.isAhead = false;
      return;
    }
    const { before, last } = source;
    source.last = Math.max(sequence, last ?? 0);
    if (last !== undefined) {
      // The connection changed, and the events that were sent on the last one did not arrive.
      if (!source.byName && sequence > last) this.#missed(source, record, 'disconnected', sequence - last);
    } else if (before) {
      this.#cameBack(source, record, before, sequence);
    } else if (id !== source.first && (sequence > 0 || source.byName)) {
      // The first frame was lost with its link. Where two links cross, it is answered, and first.
      this.#missed(source, record, 'disconnected', undefined);
    }
  }

  #cameBack(source: Source, record: PeerRecord, { incarnation, last }: Lost, sequence: number): void {
    if (incarnation !== record.incarnation) this.#missed(source, record, 'restarted', undefined);
    else if (source.byName || last === undefined) this.#missed(source, record, 'disconnected', undefined);
    else if (sequence > last) this.#missed(source, record, 'disconnected', sequence - last);
  }

  happened({ record }: Link, event: EventFrame): void {
    this.#take(event.name, record, event);
    this.#take(EVERY_EVENT, record, event);
  }

  #take(interest: string, record: PeerRecord, event: EventFrame): void {
    const source = this.#interests.get(interest)?.sources.get(record);
    if (!source) return;
    const { byName } = source;
    const { name, sequence } = event;
    if (source.last === undefined) {
      // The event belongs to an earlier subscription to the same name.
      if (byName || source.before || !this.#hasEverything(record)) return;
      source.isAhead = true;
      source.last = sequence - 1;
    }
    const last = byName ? (byName.get(name) ?? sequence - 1) : source.last;
    if (sequence <= last) return;
    if (sequence > last + 1) {
      const isAnswered = source.asked === source.answered || source.isAhead;
      const why = isAnswered ? 'slow' : 'disconnected';
      this.#missed(source, record, why, sequence - last - 1);
    }
    if (!byName) source.last = sequence;
    else if (byName.has(name) || byName.size < MOST_NAMES) byName.set(name, sequence);
    this.#counters.received += 1;
    this.#input.deliver(interest, record.id, event);
  }

  /** Whether every event of the peer arrives. Then a new subscription to one name need not wait for its answer. */
  #hasEverything(record: PeerRecord): boolean {
    return this.#interests.get(EVERY_EVENT)?.sources.get(record)?.last !== undefined;
  }

  #missed({ name }: Source, { id }: PeerRecord, why: Gap['why'], missed: number | undefined): void {
    this.#counters.gaps += 1;
    this.#input.missed(name, id, { missed, why });
  }

  /** Sends a subscription that waited for room, or for answers to others. */
  #askNext(record: PeerRecord, { waiting, sources }: Asked): void {
    for (const next of waiting) {
      if (sources.size >= roomFor(next.name, record)) continue;
      this.#ask(record, next);
      return;
    }
  }

  #ask(record: PeerRecord, source: Source): void {
    const asked = this.#asked.get(record) ?? new Asked();
    this.#asked.set(record, asked);
    if (!record.link) this.#wantLink(record);
    const most = roomFor(source.name, record);
    if (asked.sources.size >= most) {
      source.asked = 0;
      asked.waiting.add(source);
      // A peer that allows no subscriptions at all emits no events, so nothing is missed.
      if (most > 0) this.#input.refused(source.name, record);
      return;
    }
    // The open subscribe frames never exceed twice the number of subscriptions, however often names come and go.
    if (asked.open >= 2 * most) {
      source.asked = 0;
      asked.waiting.add(source);
      return;
    }
    // It had to wait for room, and the subscription to everything has ended meanwhile. The answer tells what it missed.
    if (asked.waiting.delete(source) && !this.#hasEverything(record)) source.isAhead = false;
    asked.givenUp.delete(source.name);
    asked.newest += 1;
    asked.open += 1;
    source.asked = asked.newest;
    source.first ||= asked.newest;
    asked.sources.add(source);
    asked.unanswered.set(source.asked, source);
    record.link!.send(encodeFrame({ type: 'subscribe', id: source.asked, name: source.name }));
  }
}
