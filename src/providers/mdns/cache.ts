import { cutShort, GRACE, isDue, lifeOf } from './life.ts';
import type { Life } from './life.ts';
import type { Life as PeerLife } from '../hint-tags.ts';
import { instanceOf, readDescription, SERVICE, TTL, typeOf } from './records.ts';
import type { Name, Packet, Question, Resource } from './packet.ts';
import type { Vouched } from './tagged.ts';
import type { HintedAddress } from '../hint.ts';

/**
 * What others on one link have said of their endpoints, for as long as it holds (RFC 6762, section 10). Everything in
 * it may be a lie, so there is a limit to all of it.
 */

/**
 * Endpoints of which somebody with the secret spoke, and as many others: no lie takes room from the honest. When there are
 * more of a kind, one to which dials have failed makes room; else the newcomer is not taken.
 */
const MOST_SERVICES = 1_024;

/** Of the others, such as one sender was the first to name: so one alone cannot fill it. */
const MOST_OF_ONE = 256;

/** Of one host name. */
const MOST_ADDRESSES = 16;

/** Endpoints that a query says are known. What is not in it is answered once more. */
const MOST_KNOWN = 128;

/** What was in vain holds for so long unless it is said again, in ms (section 10.4). */
const DOUBT = 10_000;

/** What is to be asked for. */
export type Asking = Pick<Question, 'name' | 'type'>;

interface Host {
  readonly addresses: Map<string, Life>;
  readonly services: Set<Service>;
}

export interface Service {
  readonly name: Name;
  /** The address of who named it first. */
  readonly sender: string;
  pointer: Life;
  location: (Life & { port: number; target: Name }) | undefined;
  /** `peer` is undefined for an endpoint that is none. */
  description: (Life & { peer: PeerLife | undefined }) | undefined;
  /**
   * Where somebody with the secret said that it is. Then nothing else is believed about it: not where it is, and not that
   * it is gone.
   */
  places: readonly HintedAddress[] | undefined;
  /** It was taken back, and did not just expire. */
  withdrawn: boolean;
  /** Questions about what is missing, since the pointer was first heard of. */
  inquiries: number;
  /** When the next of them is due, on the clock. */
  inquiry: number;
}

/** Endpoints that take room from each other. */
class Shelf {
  readonly services = new Set<Service>();
  /** To which dials failed since they were last heard of. */
  readonly doubted = new Set<Service>();
}

export class ServiceCache {
  readonly #own: unknown;
  readonly #services = new Map<Name, Service>();
  /** By host name; only those at which a service is. */
  readonly #hosts = new Map<Name, Host>();
  /** How many of the services each sender has named first. */
  readonly #named = new Map<string, number>();
  readonly #vouched = new Shelf();
  readonly #others = new Shelf();

  /** @param own this peer's instance, which is none of the others */
  constructor(own: unknown) {
    this.#own = own;
  }

  get services(): Iterable<Service> {
    return this.#services.values();
  }

  /** In the order in which they were first said. */
  addressesOf({ location }: Service): string[] {
    const host = location && this.#hosts.get(location.target);
    return host ? [...host.addresses.keys()] : [];
  }

  /** Somebody with the secret says where it is, or that it is gone. @returns undefined where that is nothing new to keep */
  vouch({ life, places, isOver }: Vouched, now: number): Service | undefined {
    const name = instanceOf(life.incarnation);
    if (name === this.#own) return undefined;
    const known = this.#services.get(name);
    if (isOver) {
      if (!known?.places) return undefined;
      Object.assign(known.pointer, cutShort(known.pointer, now));
      known.withdrawn = true;
      return known;
    }
    // What others said under its name is forgotten.
    if (known && !known.places) this.#remove(known);
    const service = this.#services.get(name) ?? this.#add(name, '', this.#vouched, now);
    if (!service) return undefined;
    service.pointer = lifeOf(TTL, now);
    service.description = { ...lifeOf(TTL, now), peer: life };
    service.places = places;
    service.withdrawn = false;
    this.#vouched.doubted.delete(service);
    return service;
  }

  /** @returns the services of which it says something */
  learn(packet: Packet, sender: string, now: number): ReadonlySet<Service> {
    const touched = new Set<Service>();
    const said = [...packet.answers, ...packet.additionals];
    // In this order, for each only means something by the one before, and they come in any.
    for (const each of said) if (each.type === 'PTR') this.#learnPointer(each, sender, now);
    for (const each of said) {
      const service = each.type === 'PTR' ? this.#services.get(each.data) : this.#services.get(each.name);
      if (!service || service.places) continue;
      touched.add(service);
      if (each.type === 'SRV') this.#learnLocation(service, each, now);
      if (each.type === 'TXT') learnDescription(service, each, now);
    }
    const byName = new Map<Name, AddressResource[]>();
    for (const each of said) {
      if (each.type !== 'A' && each.type !== 'AAAA') continue;
      byName.set(each.name, [...(byName.get(each.name) ?? []), each]);
    }
    for (const [name, resources] of byName) {
      const host = this.#hosts.get(name);
      if (!host) continue;
      learnAddresses(host.addresses, resources, now);
      for (const service of host.services) touched.add(service);
    }
    return touched;
  }

  /** A dial was in vain: unless it is said again, it is forgotten soon. @returns whether that is new */
  doubt(service: Service, now: number): boolean {
    const { doubted } = this.#shelfOf(service);
    if (doubted.has(service)) return false;
    doubted.add(service);
    service.pointer.until = Math.min(service.pointer.until, now + DOUBT);
    return true;
  }

  /** Forgets what no longer holds. @returns the services that are gone, or of which something is */
  expire(now: number): ReadonlySet<Service> {
    const changed = new Set<Service>();
    for (const service of this.#services.values()) {
      const { pointer, location, description } = service;
      if (pointer.until <= now) this.#remove(service);
      else if (location && location.until <= now) this.#locate(service, undefined);
      else if (!service.places && description && description.until <= now) service.description = undefined;
      else continue;
      changed.add(service);
    }
    for (const { addresses, services } of this.#hosts.values()) {
      for (const [address, life] of addresses) {
        if (life.until > now) continue;
        addresses.delete(address);
        for (const service of services) changed.add(service);
      }
    }
    return changed;
  }

  /** What the next query need not be answered with: said not so long ago, and not in doubt. */
  known(now: number): Resource[] {
    const known: Resource[] = [];
    for (const service of [...this.#vouched.services, ...this.#others.services]) {
      const { name, pointer } = service;
      const left = pointer.until - now;
      // A dot within the first label cannot be told from one between two, and would be written wrongly.
      const isPlain = name.indexOf('.') === name.length - SERVICE.length - 1;
      if (
        !isPlain ||
        this.#shelfOf(service).doubted.has(service) ||
        left < (pointer.until - pointer.since) / 2
      )
        continue;
      known.push({
        name: SERVICE,
        type: 'PTR',
        ttl: Math.floor(left / 1_000),
        unique: false,
        data: name,
      });
      if (known.length === MOST_KNOWN) break;
    }
    return known;
  }

  /** What should be asked for again, for its time is running out. @param random from 0 to 1 */
  stale(now: number, random: () => number): Asking[] {
    const questions: Asking[] = [];
    for (const service of this.#services.values()) {
      const { name, pointer, location, description } = service;
      const late = random() * 0.02;
      const isPointerDue = isDue(pointer, now, late);
      const rest: Asking[] = [];
      if (location && isDue(location, now, late)) rest.push({ name, type: 'SRV' });
      if (!service.places && description && isDue(description, now, late)) rest.push({ name, type: 'TXT' });
      const host = location && this.#hosts.get(location.target);
      for (const [address, life] of host?.addresses ?? []) {
        if (isDue(life, now, late)) rest.push({ name: location!.target, type: typeOf(address) });
      }
      // Who answers for the pointer says everything else, too.
      questions.push(...(isPointerDue ? [{ name: SERVICE, type: 'PTR' }] : rest));
    }
    return questions;
  }

  #learnPointer(resource: Resource & { type: 'PTR' }, sender: string, now: number): void {
    const { name, data, ttl } = resource;
    if (name !== SERVICE || data === this.#own || !data.endsWith(`.${SERVICE}`)) return;
    const known = this.#services.get(data);
    if (known?.places) return;
    if (known) {
      Object.assign(known.pointer, ttl === 0 ? cutShort(known.pointer, now) : lifeOf(ttl, now));
      known.withdrawn = ttl === 0;
      if (ttl > 0) this.#others.doubted.delete(known);
      return;
    }
    const named = this.#named.get(sender) ?? 0;
    if (ttl === 0 || named >= MOST_OF_ONE) return;
    const service = this.#add(data, sender, this.#others, now);
    if (!service) return;
    service.pointer = lifeOf(ttl, now);
    this.#named.set(sender, named + 1);
  }

  /** @returns undefined where there is no room */
  #add(name: Name, sender: string, shelf: Shelf, now: number): Service | undefined {
    if (shelf.services.size >= MOST_SERVICES) {
      const [doubted] = shelf.doubted;
      if (!doubted) return undefined;
      this.#remove(doubted);
    }
    const service: Service = {
      name,
      sender,
      pointer: lifeOf(0, now),
      location: undefined,
      description: undefined,
      places: undefined,
      withdrawn: false,
      inquiries: 0,
      inquiry: now,
    };
    this.#services.set(name, service);
    shelf.services.add(service);
    return service;
  }

  #shelfOf({ places }: Service): Shelf {
    return places ? this.#vouched : this.#others;
  }

  #learnLocation(service: Service, { data, ttl }: Resource & { type: 'SRV' }, now: number): void {
    if (ttl > 0) this.#locate(service, { ...lifeOf(ttl, now), ...data });
    else if (service.location) Object.assign(service.location, cutShort(service.location, now));
  }

  #locate(service: Service, location: Service['location']): void {
    const before = service.location?.target;
    service.location = location;
    if (before === location?.target) return;
    const left = before === undefined ? undefined : this.#hosts.get(before);
    if (left?.services.delete(service) && left.services.size === 0) this.#hosts.delete(before!);
    if (!location) return;
    const host = this.#hosts.get(location.target) ?? { addresses: new Map(), services: new Set() };
    this.#hosts.set(location.target, host);
    host.services.add(service);
  }

  #remove(service: Service): void {
    this.#locate(service, undefined);
    const shelf = this.#shelfOf(service);
    shelf.services.delete(service);
    shelf.doubted.delete(service);
    this.#services.delete(service.name);
    if (service.places) return;
    const named = this.#named.get(service.sender)! - 1;
    if (named === 0) this.#named.delete(service.sender);
    else this.#named.set(service.sender, named);
  }
}

type AddressResource = Resource & { type: 'A' | 'AAAA' };

function learnDescription(service: Service, { data, ttl }: Resource & { type: 'TXT' }, now: number): void {
  if (ttl > 0) service.description = { ...lifeOf(ttl, now), peer: readDescription(data) };
  else if (service.description) Object.assign(service.description, cutShort(service.description, now));
}

function learnAddresses(addresses: Map<string, Life>, said: readonly AddressResource[], now: number): void {
  for (const type of ['A', 'AAAA'] as const) {
    const mine = said.filter((each) => each.type === type);
    if (mine.some(({ unique }) => unique)) {
      for (const [address, life] of addresses) {
        const isOld = now - life.since > GRACE && typeOf(address) === type;
        if (isOld) Object.assign(life, cutShort(life, now));
      }
    }
    for (const { data, ttl } of mine) {
      const life = addresses.get(data);
      if (ttl > 0 && (life || addresses.size < MOST_ADDRESSES)) addresses.set(data, lifeOf(ttl, now));
      else if (ttl === 0 && life) Object.assign(life, cutShort(life, now));
    }
  }
}
