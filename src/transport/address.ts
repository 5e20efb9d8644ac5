import { isIP, isIPv6, SocketAddress } from 'node:net';

/** Where somebody can be reached. */
export interface Address {
  /** IP address or host name. */
  host: string;
  port: number;
}

/** Every interface of this host, with IPv6 and IPv4, or IPv4 only if there is no IPv6. */
export const EVERYWHERE = '::';

/** By far the most frequent address. It needs no parsing, which each connection would do some twenty times. */
const LOOPBACK = '127.0.0.1';

/** The prefix of an IPv4 address that is mapped into IPv6. The system and dual-stack sockets write addresses this way. */
const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/**
 * The canonical form of an IP address: IPv6 in its short form, a mapped IPv4 address as plain IPv4, and a zone unchanged. `::1`
 * has many long forms, and a decision by address must not depend on the form that somebody chose.
 * @returns undefined for a name, and for spellings of IPv4 that only some systems accept: `127.1`, `0x7f.1`, `0177.0.0.1`
 */
export function canonicalIp(text: string): string | undefined {
  if (text === LOOPBACK) return text;
  const family = isIP(text);
  if (family !== 6) return family === 4 ? text : undefined;
  const [bare = '', zone] = text.split('%');
  const ip = new SocketAddress({ address: bare, family: 'ipv6' }).address.replace(MAPPED, '');
  return zone === undefined ? ip : `${ip}%${zone}`;
}

/** The canonical form of an IP address; any other text stays as it is. */
export function plainIp(ip: string): string {
  return canonicalIp(ip) ?? ip;
}

/** Whether packets to this address never leave the host. `localhost` is the only name for which that is always true. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const ip = canonicalIp(host);
  return ip === '::1' || ip?.startsWith('127.') === true;
}

/**
 * Only the IP addresses, each in its canonical form. Names are dropped when another peer sends them: it could make a name point
 * elsewhere later.
 */
export function ipAddresses<Told extends Address>(addresses: readonly Told[]): Told[] {
  return addresses.flatMap((address) => {
    const host = canonicalIp(address.host);
    return host === undefined ? [] : [{ ...address, host }];
  });
}

/**
 * The host in the form of URLs and the `Host` header, without the zone of a link-local address, which has a meaning only here.
 */
export function hostInUrl(host: string): string {
  if (host === LOOPBACK) return host;
  const [bare = ''] = host.split('%');
  return isIPv6(bare) ? `[${bare}]` : host;
}

/** The begin of the host of an address at a broker. A colon cannot be in a name, so it is never taken for one. */
export const BROKER = 'nats:';

/** Whether the address leads through a broker, and not to a host. */
export function isAtBroker({ host }: Address): boolean {
  return host.startsWith(BROKER);
}

/**
 * The address as text, for people and as a key: `127.0.0.1:4000`, `[::1]:4000`, `[fe80::1%eth0]:4000`. An address at a broker
 * has no port: `nats:V1StGXR8.Z5jdHi6B`.
 */
export function addressText({ host, port }: Address): string {
  if (host.startsWith(BROKER)) return host;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The addresses without duplicates: loopback first, because it is the shortest way within a host, and a broker last. */
export function nearestFirst(addresses: Iterable<Address>): Address[] {
  const unique = [...new Map([...addresses].map((each) => [addressText(each), each])).values()];
  return [
    ...unique.filter(({ host }) => isLoopback(host)),
    ...unique.filter((each) => !isLoopback(each.host) && !isAtBroker(each)),
    ...unique.filter((each) => isAtBroker(each)),
  ];
}

/** Whether `address` is among `addresses`. */
export function isAmong(addresses: readonly Address[], address: Address): boolean {
  const text = addressText(address);
  return addresses.some((each) => addressText(each) === text);
}
