import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

import { addressText } from '../../transport/address.ts';
import { VERSIONS } from '../../wire/frames.ts';
import { isPeerId } from '../../wire/shapes.ts';
import type { HintTags, Life } from '../hint-tags.ts';
import type { Name, Resource } from './packet.ts';
import type { HintedAddress } from '../hint.ts';

/**
 * The records by which a peer announces itself in DNS-SD (RFC 6763), and the reading of others' descriptions. Anybody on the link
 * can read them, so they contain only addresses with their tags, the id and the incarnation; nothing reveals what runs here or
 * for whom. The description (TXT) alone has everything that a peer needs, so that no other record can falsify what its tags
 * cover.
 */

export const SERVICE: Name = '_app-net._tcp.local';

/** The name under which tools such as `avahi-browse --all` ask for all services (RFC 6763, section 9). */
const ALL_SERVICES: Name = '_services._dns-sd._udp.local';

/** How long a record is valid, in seconds. RFC 6762, section 10, gives this value for records that name a host. */
export const TTL = 120;

/** Addresses of one interface that are announced, at most. Some interfaces have dozens of temporary IPv6 addresses. */
const MOST_ADDRESSES = 8;

/** Addresses that are in the description with their tags, at most: as many as a peer dials. */
export const MOST_TAGGED = 4;

/** The key of a tagged address in a description, followed by a digit. */
export const PLACE = 'at';

/** The last key in the description of a goodbye. Its value is a tag that nobody has heard before. */
export const FAREWELL = 'bye=';

/** Link-local addresses: the same network on every link. */
const LINK_LOCAL = /^fe[89ab][\da-f]:/i;

export interface OwnRecords {
  /** "The service has this instance." It is the only record that is not unique: every peer has one of the same name. */
  pointer: Resource;
  /** "The instance is at this port of this host name." */
  location: Resource;
  /** The id and incarnation of the peer, and its tagged addresses. */
  description: Resource & { type: 'TXT' };
  /** The description for the goodbye. */
  farewell: Resource & { type: 'TXT' };
  /** The addresses of the host name. */
  addresses: readonly Resource[];
  /** "There is such a service." */
  existence: Resource;
  /** "There are no other records", for questions about other types. */
  absences: readonly Resource[];
}

/**
 * Makes the records of this peer. The names are derived from the incarnation: 126 random bits, new for each life. So names cannot
 * collide, no probing is needed (RFC 6762, section 8), and the records of two lives never mix.
 */
export function ownRecords(
  { id, incarnation }: Life,
  port: number,
  addresses: readonly string[],
  tags?: HintTags,
): OwnRecords {
  const instance = instanceOf(incarnation);
  const target = hostNameOf(incarnation);
  const unique = { ttl: TTL, unique: true };
  // The order matters: a reader that looks for tags must find the id and the life before them.
  const strings = [
    'txtvers=1',
    `id=${id}`,
    `life=${incarnation}`,
    `versions=${VERSIONS.join(',')}`,
    ...(tags ? places({ id, incarnation }, port, addresses, tags) : []),
  ];
  const description = { ...unique, name: instance, type: 'TXT' as const, data: strings };
  const bye = tags ? [`${FAREWELL}${tags.farewell({ id, incarnation })}`] : [];
  const hosts = addresses.slice(0, MOST_ADDRESSES).map((data) => ({
    name: target,
    type: typeOf(data),
    ttl: TTL,
    unique: true,
    data,
  }));
  return {
    pointer: { name: SERVICE, type: 'PTR', ttl: TTL, unique: false, data: instance },
    location: { ...unique, name: instance, type: 'SRV', data: { port, target } },
    description,
    farewell: { ...description, data: [...strings, ...bye] },
    addresses: hosts,
    existence: { name: ALL_SERVICES, type: 'PTR', ttl: TTL, unique: false, data: SERVICE },
    absences: [
      { ...unique, name: instance, type: 'NSEC', data: ['SRV', 'TXT'] },
      { ...unique, name: target, type: 'NSEC', data: [...new Set(hosts.map(({ type }) => type))] },
    ],
  };
}

function places(life: Life, port: number, addresses: readonly string[], tags: HintTags): string[] {
  // Use link-local addresses, which have a meaning on this link only, if there are no others.
  const wide = addresses.filter((host) => !LINK_LOCAL.test(host));
  return (wide.length > 0 ? wide : addresses).slice(0, MOST_TAGGED).map((host, index) => {
    const address = { host, port };
    return `${PLACE}${index + 1}=${addressText(address)},${tags.sign(life, address).tag}`;
  });
}

/** The name under which only this life of a peer is announced. */
export function instanceOf(incarnation: string): Name {
  return `${incarnation.slice(0, 63)}.${SERVICE}`.toLowerCase();
}

/** The type of the record for an address. */
export function typeOf(address: string): 'A' | 'AAAA' {
  return address.includes(':') ? 'AAAA' : 'A';
}

/** A host name from the incarnation, as a hash: host names allow only letters, digits and hyphens. */
function hostNameOf(incarnation: string): Name {
  const hash = createHash('sha256').update(incarnation).digest('hex');
  return `app-net-${hash.slice(0, 20)}.local`;
}

/**
 * The id and incarnation in a description (RFC 6763, section 6.4); undefined for an endpoint that is not a peer.
 * @param isGuest whether one with tags is read, too
 */
export function readDescription(strings: readonly string[], isGuest: boolean): Life | undefined {
  const value = (key: string): string | undefined =>
    strings.find((each) => each.toLowerCase().startsWith(key))?.slice(key.length);
  const id = value('id=');
  const incarnation = value('life=');
  // Ignore descriptions with tags here: `TagReader` has already read those whose tag is right. A guest has no `TagReader`.
  const isTagged = value(`${PLACE}1=`) !== undefined;
  if (!isPeerId(id) || !isPeerId(incarnation) || (isTagged && !isGuest)) return undefined;
  return { id, incarnation };
}

/** `10.0.0.7:4000,<tag>`, `[fd00::7]:4000,<tag>`. */
const PLACE_FORM = /^(?:\[([\da-f:.]{2,45})\]|([\d.]{7,15})):(\d{1,5}),([\w-]{22})$/i;

export function readPlace(text: string | undefined): Required<HintedAddress> | undefined {
  const [, six, four, digits, tag] = PLACE_FORM.exec(text ?? '') ?? [];
  const host = six ?? four ?? '';
  const port = Number(digits);
  if (tag === undefined || isIP(host) !== (six === undefined ? 4 : 6) || port < 1 || port > 65_535)
    return undefined;
  return { host, port, tag };
}

/** Whether two records are equal, apart from their time to live. */
export function saysTheSame(one: Resource, other: Resource): boolean {
  if (one.type !== other.type || one.name !== other.name) return false;
  if (one.data === other.data) return true;
  return typeof one.data === 'object' && JSON.stringify(one.data) === JSON.stringify(other.data);
}
