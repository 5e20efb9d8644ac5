import type { InterestsCounters } from '../presence/peer-info.ts';
import { encodeFrame } from '../wire/codec.ts';
import type { EventFrame, SubscribedFrame } from '../wire/frames.ts';
import type { Link, PeerRecord } from '../connection/link.ts';
import type { LeaveReason } from '../connection/evidence.ts';
import { EVERY_EVENT } from './topics.ts';

/** The subscriber's half of events: what this peer wants of whom, and what it has missed. */

/** How many peers that were lost are remembered for each name, so that they come back with a gap. */
const MOST_LOST = 1_024;

/** How many names that are no longer wanted of a peer are remembered, the newest. */
const MOST_GIVEN_UP = 1_024;

/** Of a subscription to everything: how many names of one emitter are held against their sequence. */
const MOST_NAMES = 1_024;

/** Events of one peer that were not received. */
export interface Gap {
  /** How many; undefined when nobody can know. At most so many, if the emitter has used thousands of names meanwhile. */
  readonly missed: number | undefined;
  /**
   * `slow`: they came faster than they were taken, and the oldest were dropped. `disconnected`: the connection was
   * lost for a while. `restarted`: the peer is in another life than the one that was lost.
   */
  readonly why: 'slow' | 'disconnected' | 'restarted';
}

export interface InterestsInput {
  /** An event for those who subscribed to `interest`, which is its name or `'*'`. */
  deliver: (interest: string, peer: string, event: EventFrame) => void;
  /** Told as soon as it is known, and before the next event of that peer. */
  missed: (interest: string, peer: string, gap: Gap) => void;
  /** The peer gives no more subscriptions (its `limits.subscriptions`), and this one has to wait. */
  refused: (name: string, peer: PeerRecord) => void;
}

/** A name at one peer. */
class Source {
  readonly name: string;
  /** Of the newest subscribe frame; 0 while there is no room for one. */
  asked = 0;
  /** The one that was answered last. */
  answered = 0;
  /** Of the newest event that came, or may have; undefined before the first answer. */
  last: number | undefined;
  /** Events of it come already, by a subscription to everything, though it has not been answered. */
  isAhead = false;
  /** The same by name, of a subscription to everything. */
  readonly byName: Map<string, number> | undefined;
  /** From before the peer was lost. */
  readonly before: Lost | undefined;

  constructor(name: string, before: Lost | undefined) {
    this.name = name;
    this.before = before;
    this.byName = name === EVERY_EVENT ? new Map() : undefined;
  }
}

interface Lost {
  incarnation: string;
  /** Undefined when it was lost before it had answered. */
  last: number | undefined;
}

/** A name that somebody here subscribes to. */
class Interest {
  readonly sources = new Map<PeerRecord, Source>();
  /** By peer id. */
  readonly lost = new Map<string, Lost>();
}

/** What is asked of one peer. */
class Asked {
  readonly sources = new Set<Source>();
  /** By the id of each subscribe frame that has not been answered. */
  readonly unanswered = new Map<number, Source>();
  /** For room at the peer, or for a link to it. */
  readonly waiting = new Set<Source>();
  /** Names that were given up, the newest of them. It is said again on each new link, as the last one may not have carried it. */
  readonly givenUp = new Set<string>();
  newest = 0;
  /** Subscribe frames on the present link that are not answered yet … */
  open = 0;
  /** … which are those with a higher id. */
  before = 0;
}

export class Interests {
  readonly #counters: InterestsCounters;
  readonly #input: InterestsInput;
  readonly #interests = new Map<string, Interest>();
  /** The peers that are there, by id. */
  readonly #records = new Map<string, PeerRecord>();
  readonly #asked = new Map<PeerRecord, Asked>();

  constructor(input: InterestsInput, counters: InterestsCounters) {
    this.#input = input;
    this.#counters = counters;
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
    this.#counters.subscriptions += 1;
    this.#ask(record, source);
  }

  unwant(name: string, peer: string): void {
    const record = this.#records.get(peer);
    const interest = this.#interests.get(name);
    const source = record && interest?.sources.get(record);
    if (!source) return;
    interest!.sources.delete(record);
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

  /** Nobody here subscribes to it any more. */
  forget(name: string): void {
    const interest = this.#interests.get(name);
    if (!interest) return;
    for (const { id } of interest.sources.keys()) this.unwant(name, id);
    this.#interests.delete(name);
  }

  /** Everything is asked again on a new link: the other side may have lost this one, and what it was asked. */
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

  left(record: PeerRecord, why: LeaveReason): void {
    for (const interest of this.#interests.values()) {
      const source = interest.sources.get(record);
      if (!source) continue;
      interest.sources.delete(record);
      this.#counters.subscriptions -= 1;
      // Who says goodbye has sent everything; another life of it is somebody new.
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
    // No longer wanted.
    if (!this.#asked.get(record)!.sources.has(source)) return;
    source.answered = id;
    if (source.isAhead) {
      source.isAhead = false;
      return;
    }
    const { before, last } = source;
    source.last = Math.max(sequence, last ?? 0);
    if (last !== undefined) {
      // The connection changed, and what was sent on the last one did not arrive.
      if (!source.byName && sequence > last) this.#missed(source, record, 'disconnected', sequence - last);
    } else if (before) {
      this.#cameBack(source, record, before, sequence);
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
      // Of an earlier subscription to the same name.
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

  /** Whether every event of the peer comes, so that who subscribes to one name need not wait for the answer. */
  #hasEverything(record: PeerRecord): boolean {
    return this.#interests.get(EVERY_EVENT)?.sources.get(record)?.last !== undefined;
  }

  #missed({ name }: Source, { id }: PeerRecord, why: Gap['why'], missed: number | undefined): void {
    this.#counters.gaps += 1;
    this.#input.missed(name, id, { missed, why });
  }

  /** One that waited for room, or for answers to others. */
  #askNext(record: PeerRecord, { waiting, sources }: Asked): void {
    const [next] = waiting;
    if (next && sources.size < (record.link?.limits.subscriptions ?? 0)) this.#ask(record, next);
  }

  #ask(record: PeerRecord, source: Source): void {
    const asked = this.#asked.get(record) ?? new Asked();
    this.#asked.set(record, asked);
    const most = record.link?.limits.subscriptions ?? 0;
    if (asked.sources.size >= most) {
      source.asked = 0;
      asked.waiting.add(source);
      // One that gives none at all has no events, so nothing is missed.
      if (most > 0) this.#input.refused(source.name, record);
      return;
    }
    // No more questions are open than twice the subscriptions, however often names are wanted and given up.
    if (asked.open >= 2 * most) {
      source.asked = 0;
      asked.waiting.add(source);
      return;
    }
    // It had to wait for room, and what it heard ahead has ended meanwhile: the answer tells what it missed.
    if (asked.waiting.delete(source) && !this.#hasEverything(record)) source.isAhead = false;
    asked.givenUp.delete(source.name);
    asked.newest += 1;
    asked.open += 1;
    source.asked = asked.newest;
    asked.sources.add(source);
    asked.unanswered.set(source.asked, source);
    record.link!.send(encodeFrame({ type: 'subscribe', id: source.asked, name: source.name }));
  }
}
