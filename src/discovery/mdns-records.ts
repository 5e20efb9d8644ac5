import { createHash } from 'node:crypto';

import { VERSIONS } from '../wire/frames.ts';
import { isPeerId } from '../wire/guards.ts';
import type { Name, Resource } from './mdns-packet.ts';

/**
 * What a peer says of itself in DNS-SD (RFC 6763), and what is understood of what others say. Anybody on the link can
 * read it, so it holds an address, the id and the incarnation, and nothing that says what runs here or for whom.
 */

export const SERVICE: Name = '_app-net._tcp.local';

/** Where `avahi-browse --all` and the like ask which services there are at all (RFC 6763, section 9). */
const ALL_SERVICES: Name = '_services._dns-sd._udp.local';

/** How long a record holds without being said again, in seconds. RFC 6762, section 10, for what names a host. */
export const TTL = 120;

/** Of one interface, that are announced. Some have dozens of temporary IPv6 addresses. */
const MOST_ADDRESSES = 8;

export interface OwnRecords {
  /** The service has this instance. Others have theirs: the only one that is not unique. */
  pointer: Resource;
  /** The instance is at this port of this host name. */
  location: Resource;
  /** Who it is. */
  description: Resource;
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
  { id, incarnation }: { id: string; incarnation: string },
  port: number,
  addresses: readonly string[],
): OwnRecords {
  const instance = `${incarnation.slice(0, 63)}.${SERVICE}`.toLowerCase();
  const target = hostNameOf(incarnation);
  const unique = { ttl: TTL, unique: true };
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
    description: {
      ...unique,
      name: instance,
      type: 'TXT',
      data: ['txtvers=1', `id=${id}`, `life=${incarnation}`, `versions=${VERSIONS.join(',')}`],
    },
    addresses: hosts,
    existence: { name: ALL_SERVICES, type: 'PTR', ttl: TTL, unique: false, data: SERVICE },
    absences: [
      { ...unique, name: instance, type: 'NSEC', data: ['SRV', 'TXT'] },
      { ...unique, name: target, type: 'NSEC', data: [...new Set(hosts.map(({ type }) => type))] },
    ],
  };
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
export function readDescription(strings: readonly string[]): { id: string; incarnation: string } | undefined {
  const value = (key: string): string | undefined =>
    strings.find((each) => each.toLowerCase().startsWith(key))?.slice(key.length);
  const id = value('id=');
  const incarnation = value('life=');
  return isPeerId(id) && isPeerId(incarnation) ? { id, incarnation } : undefined;
}

/** Whether two records say the same, whatever their time to live. */
export function saysTheSame(one: Resource, other: Resource): boolean {
  if (one.type !== other.type || one.name !== other.name) return false;
  if (one.data === other.data) return true;
  return typeof one.data === 'object' && JSON.stringify(one.data) === JSON.stringify(other.data);
}
