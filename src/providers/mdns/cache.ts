import { cutShort, GRACE, isDue, lifeOf } from './life.ts';
import type { Life } from './life.ts';
import type { Life as PeerLife } from '../hint-tags.ts';
import { instanceOf, readDescription, SERVICE, TTL, typeOf } from './records.ts';
import type { Name, Packet, Question, Resource } from './packet.ts';
import type { Vouched } from './tagged.ts';
import type { HintedAddress } from '../hint.ts';

/**
 * The records that others on one link have sent about their endpoints, for as long as they are valid (RFC 6762, section 10).
 * Everything here may be a lie, so everything has a limit.
 */

/**
 * Endpoints with a valid tag, at most, and as many others, so that lies take no room from honest peers. If a kind is full, an
 * endpoint to which dials have failed makes room. If there is none, the new endpoint is refused.
 */
const MOST_SERVICES = 1_024;

/** Untagged endpoints that one sender named first, at most, so that one sender cannot fill the cache. */
const MOST_OF_ONE = 256;

/** Addresses of one host name, at most. */
const MOST_ADDRESSES = 16;

/** Known endpoints in one query, at most. All others are answered again. */
const MOST_KNOWN = 128;

/** After a failed dial a record is valid for this long, unless it is sent again, in ms (section 10.4). */
const DOUBT = 10_000;

/** A question to ask. */
export type Asking = Pick<Question, 'name' | 'type'>;

interface Host {
  readonly addresses: Map<string, Life>;
  readonly services: Set<Service>;
}

export interface Service {
  readonly name: Name;
  /** The address of the sender that named it first. */
  readonly sender: string;
  pointer: Life;
  location: (Life & { port: number; target: Name }) | undefined;
  /** `peer` is undefined for an endpoint that is not a peer. */
  description: (Life & { peer: PeerLife | undefined }) | undefined;
  /**
   * The addresses with a valid tag. If they exist, untagged records about this endpoint are ignored: neither its address nor its
   * end can be forged.
   */
  places: readonly HintedAddress[] | undefined;
  /** It was withdrawn, and did not just expire. */
  withdrawn: boolean;
  /** Questions about missing records since the pointer was first received. */
  inquiries: number;
  /** When the next of them is due, on the clock. */
  inquiry: number;
}

/** Endpoints that share one limit. */
class Shelf {
  readonly services = new Set<Service>();
  /** Endpoints to which dials have failed since they were last announced. */
  readonly doubted = new Set<Service>();
}

export class ServiceCache {
  readonly #own: unknown;
  readonly #isGuest: boolean;
  readonly #services = new Map<Name, Service>();
  /** By host name; only hosts that have a service. */
  readonly #hosts = new Map<Name, Host>();
  /** How many services each sender has named first. */
  readonly #named = new Map<string, number>();
  readonly #vouched = new Shelf();
  readonly #others = new Shelf();

  /**
   * @param own the instance name of this peer, which is ignored
   * @param isGuest whether descriptions with tags are read like others
   */
  constructor(own: unknown, isGuest = false) {
    this.#own = own;
    this.#isGuest = isGuest;
  }

  get services(): Iterable<Service> {
    return this.#services.values();
  }

  /** In the order in which they were first received. */
  addressesOf({ location }: Service): string[] {
    const host = location && this.#hosts.get(location.target);
    return host ? [...host.addresses.keys()] : [];
  }

  /** Call with a description that has a valid tag. @returns undefined if there is nothing to keep */
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
    // Forget untagged records under the same name.
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

  /** @returns the services that the packet is about */
  learn(packet: Packet, sender: string, now: number): ReadonlySet<Service> {
    const touched = new Set<Service>();
    const said = [...packet.answers, ...packet.additionals];
    // Read the types in this order, whatever the order in the packet: each type refers to the one before.
    for (const each of said) if (each.type === 'PTR') this.#learnPointer(each, sender, now);
    for (const each of said) {
      const service = each.type === 'PTR' ? this.#services.get(each.data) : this.#services.get(each.name);
      if (!service || service.places) continue;
      touched.add(service);
      if (each.type === 'SRV') this.#learnLocation(service, each, now);
      if (each.type === 'TXT') learnDescription(service, each, now, this.#isGuest);
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

  /** Call after a failed dial. The service is forgotten soon, unless it is announced again. @returns whether this is new */
  doubt(service: Service, now: number): boolean {
    const { doubted } = this.#shelfOf(service);
    if (doubted.has(service)) return false;
    doubted.add(service);
    service.pointer.until = Math.min(service.pointer.until, now + DOUBT);
    return true;
  }

  /** Forgets expired records. @returns the services that have lost a record, or are gone */
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

  /** The known answers for the next query: received not long ago, and not in doubt. */
  known(now: number): Resource[] {
    const known: Resource[] = [];
    for (const service of [...this.#vouched.services, ...this.#others.services]) {
      const { name, pointer } = service;
      const left = pointer.until - now;
      // A dot within the first label looks like a dot between two labels, so such a name would be written wrongly.
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

  /** Questions for records that are about to expire. @param random from 0 to 1 */
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
      // The answer for the pointer also contains everything else.
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

  /** @returns undefined if there is no room */
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

function learnDescription(
  service: Service,
  { data, ttl }: Resource & { type: 'TXT' },
  now: number,
  isGuest: boolean,
): void {
  if (ttl > 0) service.description = { ...lifeOf(ttl, now), peer: readDescription(data, isGuest) };
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
