import type { Clock } from '../../base/time/clock.ts';
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
 * Queries one link for peers, and keeps the answers. It follows RFC 6762, section 5. Numbers without a reason of their own come
 * from there.
 */

/** The first query is sent after a random time between these two, in ms: others may start at the same moment. */
const FIRST = [20, 120] as const;

/** Time between the first and the second query, in ms. It doubles each time. */
const SECOND = 1_000;

/**
 * The longest time between two queries, in ms. The RFC lets it grow to an hour. Two parts of a LAN that were separated for longer
 * than the time to live would then find each other only an hour after the LAN is whole again.
 */
const LONGEST = 60_000;

/** The same while a peer may be missing, and how long that search lasts, both in ms. */
const LONGEST_MISSING = 8_000;
const MISSING = 10 * 60_000;

/** Time between two extra queries about all endpoints, and between the first two about one endpoint, in ms. */
const PAUSE = 1_000;

/** Questions about single endpoints in one packet, at most. */
const MOST_QUESTIONS = 32;

/** How often missing records are asked for if an endpoint is named without them. */
const MOST_INQUIRIES = 4;

/** Addresses of one endpoint that are dialled, at most. */
const MOST_ADDRESSES = 4;

/** An endpoint that may be a peer, as seen on one link. */
export interface Sighting {
  id: string;
  incarnation: string;
  addresses: readonly HintedAddress[];
  /** The sender has proved that it has the secret. */
  isVouched?: true;
}

interface Dependencies {
  link: Link;
  /** This peer's own pointer, if it is announced. */
  own: Resource | undefined;
  /** Descriptions with tags are read like others. Default: false. */
  isGuest?: boolean;
  send: (bytes: Uint8Array) => void;
  /** Called if an endpoint is new or has changed; with `undefined` if it is gone, or is not a peer. */
  sighted: (endpoint: string, sighting: Sighting | undefined) => void;
  clock: Clock;
  random: () => number;
}

export class Browser {
  readonly #to: Dependencies;
  readonly #cache: ServiceCache;
  /** The last report about each endpoint, as text. */
  readonly #told = new Map<string, string>();
  #interval = SECOND;
  #timer: unknown;
  /** When the last query was sent, by us or by another host with the same query, on the clock. */
  #asked = -Infinity;
  #missingUntil = -Infinity;
  /** The last query was sent by another host, in place of ours. */
  #isSpared = false;

  constructor(dependencies: Dependencies) {
    this.#to = dependencies;
    this.#cache = new ServiceCache(dependencies.own?.data, dependencies.isGuest === true);
    const { clock, random } = dependencies;
    this.#timer = clock.setTimeout(() => this.#askFirst(), FIRST[0] + random() * (FIRST[1] - FIRST[0]));
  }

  /** Call with a response. */
  heard(packet: Packet, from: Sender): void {
    const now = this.#to.clock.now();
    for (const service of this.#cache.learn(packet, from.address, now)) this.#report(service);
  }

  /** Call with a description that has a valid tag. */
  vouched(vouched: Vouched): void {
    const service = this.#cache.vouch(vouched, this.#to.clock.now());
    if (service) this.#report(service);
  }

  /** Call with a query. If another host asks our question and knows nothing that we do not know, its query replaces ours. */
  askedByAnother(packet: Packet, from: Sender): void {
    if (this.#isSpared || this.#to.link.addresses.includes(from.address) || packet.truncated) return;
    const isOurs = packet.questions.some(
      ({ name, type, unicast }) => name === SERVICE && type === 'PTR' && !unicast,
    );
    if (!isOurs) return;
    const known = new Set(this.#known().map(({ data }) => data));
    if (!packet.answers.every((each) => each.type === 'PTR' && known.has(each.data))) return;
    // Only once in a row: a host that asks for ever, and gets answers that only it receives, would keep us from ever asking.
    this.#isSpared = true;
    this.#asked = this.#to.clock.now();
    this.#scheduleNext();
  }

  /** Call about once a second. Forgets expired records, and asks for records that are missing or about to expire. */
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

  /** Starts to search again, because a peer may be missing: one expired without a goodbye, or packets were lost in a flood. */
  searchAgain(): void {
    const now = this.#to.clock.now();
    const isSearching = now < this.#missingUntil;
    this.#missingUntil = now + MISSING;
    if (isSearching) return;
    this.#interval = SECOND;
    this.#scheduleNext();
  }

  /** Call if nobody listens at the announced addresses of this peer. */
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
   * The first query asks for answers to this peer alone. A responder must not repeat within a second what it has just sent to
   * all, and the first search would be over by then. The query is also sent normally, because a personal answer reaches only one
   * of the sockets on this host's port.
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

  /** The known answers. Our own is among them: the sender of a multicast hears it, too, and would otherwise answer itself. */
  #known(): Resource[] {
    return [...(this.#to.own ? [this.#to.own] : []), ...this.#cache.known(this.#to.clock.now())];
  }

  /** Questions for missing records. Usually all records come in one packet, but they need not. */
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
    // Use link-local addresses, which have a meaning on this link only, if there are no others.
    const wide = near.filter(({ host }) => !host.includes('%'));
    const addresses = (wide.length > 0 ? wide : near).slice(0, MOST_ADDRESSES);
    if (addresses.length === 0) return undefined;
    return { ...description.peer, addresses, ...(places && { isVouched: true }) };
  }
}
