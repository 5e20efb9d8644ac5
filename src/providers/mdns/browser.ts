import type { Clock } from '../../base/clock.ts';
import { ServiceCache } from './cache.ts';
import type { Asking, Service } from './cache.ts';
import type { Link } from './links.ts';
import { askPersonally, writeQuery } from './packet.ts';
import type { Packet, Resource } from './packet.ts';
import { SERVICE } from './records.ts';
import type { Sender } from './socket.ts';
import type { Vouched } from './tagged.ts';
import type { HintedAddress } from '../hint.ts';

/**
 * Asks on one link who is there, and keeps what is said. After RFC 6762, section 5; numbers without a reason of their
 * own are from there.
 */

/** The first question is asked after a random time from this to that, in ms: others may start at the same moment. */
const FIRST = [20, 120] as const;

/** Between the first question and the second, in ms; then twice as long each time. */
const SECOND = 1_000;

/** The longest between two questions, in ms. The RFC lets it grow to an hour; then two parts of a LAN that were apart
 * for longer than the time to live would find each other an hour after they are one again. */
const LONGEST = 60_000;

/** The same while somebody may be missing, in ms; and for how long they are looked for. */
const LONGEST_MISSING = 8_000;
const MISSING = 10 * 60_000;

/** Between two questions about everybody, and between the first two about one endpoint, in ms. */
const PAUSE = 1_000;

/** In one packet, about single endpoints. */
const MOST_QUESTIONS = 32;

/** How often the rest is asked for when somebody names an endpoint and not where it is. */
const MOST_INQUIRIES = 4;

/** Of one endpoint, that are dialled. */
const MOST_ADDRESSES = 4;

/** Somebody who may be a peer, as one link sees it. */
export interface Sighting {
  id: string;
  incarnation: string;
  addresses: readonly HintedAddress[];
  /** Somebody with the secret said it. */
  isVouched?: true;
}

interface Dependencies {
  link: Link;
  /** This peer's own pointer, if it is announced. */
  own: Resource | undefined;
  send: (bytes: Uint8Array) => void;
  /** An endpoint is new, or differs; `undefined` when it is gone or no peer. */
  sighted: (endpoint: string, sighting: Sighting | undefined) => void;
  clock: Clock;
  random: () => number;
}

export class Browser {
  readonly #to: Dependencies;
  readonly #cache: ServiceCache;
  /** What was reported of each endpoint, as text. */
  readonly #told = new Map<string, string>();
  #interval = SECOND;
  #timer: unknown;
  /** When the last question was asked, by us or by somebody who asked the same, on the clock. */
  #asked = -Infinity;
  #missingUntil = -Infinity;
  /** The last question was asked by somebody else, in place of ours. */
  #isSpared = false;

  constructor(dependencies: Dependencies) {
    this.#to = dependencies;
    this.#cache = new ServiceCache(dependencies.own?.data);
    const { clock, random } = dependencies;
    this.#timer = clock.setTimeout(() => this.#askFirst(), FIRST[0] + random() * (FIRST[1] - FIRST[0]));
  }

  /** Somebody says something. */
  heard(packet: Packet, from: Sender): void {
    const now = this.#to.clock.now();
    for (const service of this.#cache.learn(packet, from.address, now)) this.#report(service);
  }

  /** Somebody with the secret says something. */
  vouched(vouched: Vouched): void {
    const service = this.#cache.vouch(vouched, this.#to.clock.now());
    if (service) this.#report(service);
  }

  /** Somebody on another host asks. When it is our question, and all that they know we know too, it is as good as ours. */
  askedByAnother(packet: Packet, from: Sender): void {
    if (this.#isSpared || this.#to.link.addresses.includes(from.address) || packet.truncated) return;
    const isOurs = packet.questions.some(
      ({ name, type, unicast }) => name === SERVICE && type === 'PTR' && !unicast,
    );
    if (!isOurs) return;
    const known = new Set(this.#known().map(({ data }) => data));
    if (!packet.answers.every((each) => each.type === 'PTR' && known.has(each.data))) return;
    // Once: somebody who asked without end, and with answers that only they get, would keep this peer from ever asking.
    this.#isSpared = true;
    this.#asked = this.#to.clock.now();
    this.#scheduleNext();
  }

  /** About once a second: what has expired is forgotten, what is about to is asked for, and what is missing. */
  tick(): void {
    const { clock, random } = this.#to;
    const now = clock.now();
    for (const service of this.#cache.expire(now)) {
      const wasThere = this.#told.has(service.name);
      const isThere = service.pointer.until > now;
      this.#report(service, isThere);
      if (wasThere && !isThere && !service.withdrawn) this.searchAgain();
    }
    const stale = this.#cache.stale(now, random);
    const isAboutAll = stale.some(({ name }) => name === SERVICE);
    const questions = [...stale.filter(({ name }) => name !== SERVICE), ...this.#inquiries(now)];
    if (isAboutAll && now - this.#asked >= PAUSE) this.#ask([{ name: SERVICE, type: 'PTR' }], this.#known());
    if (questions.length > 0) this.#ask(questions.slice(0, MOST_QUESTIONS), []);
  }

  /** Somebody may be there of whom nothing was heard: who expired without a goodbye, or what was lost in a flood. */
  searchAgain(): void {
    const now = this.#to.clock.now();
    const isSearching = now < this.#missingUntil;
    this.#missingUntil = now + MISSING;
    if (isSearching) return;
    this.#interval = SECOND;
    this.#scheduleNext();
  }

  /** Nobody listens where the peer of this id was said to be. */
  doubt(id: string): void {
    const now = this.#to.clock.now();
    let isNew = false;
    for (const service of this.#cache.services) {
      if (service.description?.peer?.id === id) isNew = this.#cache.doubt(service, now) || isNew;
    }
    if (isNew && now - this.#asked >= PAUSE) this.#ask([{ name: SERVICE, type: 'PTR' }], this.#known());
  }

  close(): void {
    this.#to.clock.clearTimeout(this.#timer);
    for (const name of [...this.#told.keys()]) this.#tell(name, undefined);
  }

  /**
   * What was said to all within the last second may not be said to all again so soon, and then the first search would be over
   * before it is. To one it may. All are asked as well, since only one of the sockets on this host's port gets that answer.
   */
  #askFirst(): void {
    const [query] = writeQuery([{ name: SERVICE, type: 'PTR' }], this.#known());
    askPersonally(query!, SERVICE);
    this.#to.send(query!);
    this.#askWhoIsThere();
  }

  #askWhoIsThere(): void {
    this.#isSpared = false;
    this.#ask([{ name: SERVICE, type: 'PTR' }], this.#known());
    this.#scheduleNext();
  }

  #scheduleNext(): void {
    const { clock } = this.#to;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => this.#askWhoIsThere(), this.#interval);
    const longest = clock.now() < this.#missingUntil ? LONGEST_MISSING : LONGEST;
    this.#interval = Math.min(this.#interval * 2, longest);
  }

  #ask(questions: readonly Asking[], known: Resource[]): void {
    if (questions.some(({ name }) => name === SERVICE)) this.#asked = this.#to.clock.now();
    for (const packet of writeQuery(questions, known)) this.#to.send(packet);
  }

  /** Our own is among it, or else we would answer ourselves: what is sent to all is heard by the sender as well. */
  #known(): Resource[] {
    return [...(this.#to.own ? [this.#to.own] : []), ...this.#cache.known(this.#to.clock.now())];
  }

  /** Usually everything comes in one packet. It need not. */
  #inquiries(now: number): Asking[] {
    const questions: Asking[] = [];
    for (const service of this.#cache.services) {
      const { name, location, description, places, inquiries } = service;
      if (places) continue;
      if (questions.length >= MOST_QUESTIONS || inquiries === MOST_INQUIRIES || now < service.inquiry)
        continue;
      const before = questions.length;
      if (!location) questions.push({ name, type: 'SRV' });
      if (!description) questions.push({ name, type: 'TXT' });
      if (location && this.#cache.addressesOf(service).length === 0) {
        questions.push({ name: location.target, type: 'A' }, { name: location.target, type: 'AAAA' });
      }
      if (questions.length === before) continue;
      service.inquiries += 1;
      service.inquiry = now + PAUSE * 2 ** inquiries;
    }
    return questions;
  }

  #report(service: Service, isThere = true): void {
    this.#tell(service.name, isThere ? this.#sightingOf(service) : undefined);
  }

  #tell(endpoint: string, sighting: Sighting | undefined): void {
    const text = sighting && JSON.stringify(sighting);
    if (this.#told.get(endpoint) === text) return;
    if (text === undefined) this.#told.delete(endpoint);
    else this.#told.set(endpoint, text);
    this.#to.sighted(endpoint, sighting);
  }

  #sightingOf(service: Service): Sighting | undefined {
    const { location, description, places } = service;
    if (!description?.peer || !(location || places)) return undefined;
    const said = places ?? this.#cache.addressesOf(service).map((host) => ({ host, port: location!.port }));
    const near = said.flatMap((each) => {
      const host = this.#to.link.dialled(each.host);
      return host === undefined ? [] : [{ ...each, host }];
    });
    // Those that mean something on this link only are for links where there is nothing else.
    const wide = near.filter(({ host }) => !host.includes('%'));
    const addresses = (wide.length > 0 ? wide : near).slice(0, MOST_ADDRESSES);
    if (addresses.length === 0) return undefined;
    return { ...description.peer, addresses, ...(places && { isVouched: true }) };
  }
}
