import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

import { addressText } from '../../transport/address.ts';
import { VERSIONS } from '../../wire/frames.ts';
import { isPeerId } from '../../wire/guards.ts';
import type { HintTags, Life } from '../hint-tags.ts';
import type { Name, Resource } from './packet.ts';
import type { HintedAddress } from '../hint.ts';

/**
 * What a peer says of itself in DNS-SD (RFC 6763), and what is understood of what others say. Anybody on the link can
 * read it, so it holds addresses with their tags, the id and the incarnation, and nothing that says what runs here or for
 * whom. The description says everything that a peer needs, so that no other record can bend what its tags cover.
 */

export const SERVICE: Name = '_app-net._tcp.local';

/** Where `avahi-browse --all` and the like ask which services there are at all (RFC 6763, section 9). */
const ALL_SERVICES: Name = '_services._dns-sd._udp.local';

/** How long a record holds without being said again, in seconds. RFC 6762, section 10, for what names a host. */
export const TTL = 120;

/** Of one interface, that are announced. Some have dozens of temporary IPv6 addresses. */
const MOST_ADDRESSES = 8;

/** Of them, that are in the description with their tags: as many as a peer dials. */
export const MOST_TAGGED = 4;

/** What a description says is tagged begins with this; then comes a digit. */
export const PLACE = 'at';

/** What a goodbye's description says last: a tag that nobody has heard before. */
export const FAREWELL = 'bye=';

/** Addresses that are the same on every link. */
const LINK_LOCAL = /^fe[89ab][\da-f]:/i;

export interface OwnRecords {
  /** The service has this instance. Others have theirs: the only one that is not unique. */
  pointer: Resource;
  /** The instance is at this port of this host name. */
  location: Resource;
  /** Who it is. */
  description: Resource & { type: 'TXT' };
  /** The same for the goodbye. */
  farewell: Resource & { type: 'TXT' };
  /** The addresses of the host name. */
  addresses: readonly Resource[];
  /** There is such a service. */
  existence: Resource;
  /** That there is nothing but the above, for who asks for something else. */
  absences: readonly Resource[];
}

/**
 * The names are made of the incarnation: 126 random bits, new for each life. That is why there is no probing for
 * somebody else with the same names (RFC 6762, section 8), and why the records of two lives never mix.
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
  // In this order: whoever looks for tags has come by the id and the life.
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
  // Those that mean something on this link only are for links where there is nothing else.
  const wide = addresses.filter((host) => !LINK_LOCAL.test(host));
  return (wide.length > 0 ? wide : addresses).slice(0, MOST_TAGGED).map((host, index) => {
    const address = { host, port };
    return `${PLACE}${index + 1}=${addressText(address)},${tags.sign(life, address).tag}`;
  });
}

/** The name under which a life of a peer is announced, and no other. */
export function instanceOf(incarnation: string): Name {
  return `${incarnation.slice(0, 63)}.${SERVICE}`.toLowerCase();
}

/** The type of the record that holds an address. */
export function typeOf(address: string): 'A' | 'AAAA' {
  return address.includes(':') ? 'AAAA' : 'A';
}

/** A host name has letters, digits and hyphens only, which an incarnation has not. */
function hostNameOf(incarnation: string): Name {
  const hash = createHash('sha256').update(incarnation).digest('hex');
  return `app-net-${hash.slice(0, 20)}.local`;
}

/** Who somebody says they are; undefined for an endpoint that is no peer. RFC 6763, section 6.4. */
export function readDescription(strings: readonly string[]): Life | undefined {
  const value = (key: string): string | undefined =>
    strings.find((each) => each.toLowerCase().startsWith(key))?.slice(key.length);
  const id = value('id=');
  const incarnation = value('life=');
  // One with tags counts only where a tag is right, and then it was taken before: see `TagReader`.
  if (!isPeerId(id) || !isPeerId(incarnation) || value(`${PLACE}1=`) !== undefined) return undefined;
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

/** Whether two records say the same, whatever their time to live. */
export function saysTheSame(one: Resource, other: Resource): boolean {
  if (one.type !== other.type || one.name !== other.name) return false;
  if (one.data === other.data) return true;
  return typeof one.data === 'object' && JSON.stringify(one.data) === JSON.stringify(other.data);
}
