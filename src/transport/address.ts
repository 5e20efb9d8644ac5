import { isIP, isIPv6, SocketAddress } from 'node:net';

/** Where somebody can be reached. */
export interface Address {
  /** IP address or host name. */
  host: string;
  port: number;
}

/** An IPv4 address that is mapped into IPv6, as a socket for both and the system write it. */
const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/**
 * The one way in which an IP address is written here: IPv6 in its short form, an IPv4 address that is mapped into IPv6 as
 * IPv4, and a zone as it is. `::1` has many long forms, and whatever is decided by an address must not depend on which
 * of them somebody chose.
 * @returns undefined for a name, and for spellings of IPv4 that some systems take for an address: `127.1`, `0x7f.1`, `0177.0.0.1`
 */
export function canonicalIp(text: string): string | undefined {
  const family = isIP(text);
  if (family !== 6) return family === 4 ? text : undefined;
  const [bare = '', zone] = text.split('%');
  const ip = new SocketAddress({ address: bare, family: 'ipv6' }).address.replace(MAPPED, '');
  return zone === undefined ? ip : `${ip}%${zone}`;
}

/** The address as above; what is none stays as it is. */
export function plainIp(ip: string): string {
  return canonicalIp(ip) ?? ip;
}

/** Whether packets to this address never leave the host. The one name that always means such an address is `localhost`. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const ip = canonicalIp(host);
  return ip === '::1' || ip?.startsWith('127.') === true;
}

/** Those that are IP addresses, each in its one form. Others say where they are by address: a name they could change later. */
export function ipAddresses<Told extends Address>(addresses: readonly Told[]): Told[] {
  return addresses.flatMap((address) => {
    const host = canonicalIp(address.host);
    return host === undefined ? [] : [{ ...address, host }];
  });
}

/** As URLs and the `Host` header write it, without the zone of a link-local address: that means something here only. */
export function hostInUrl(host: string): string {
  const [bare = ''] = host.split('%');
  return isIPv6(bare) ? `[${bare}]` : host;
}

/** For people, and as a key: `127.0.0.1:4000`, `[::1]:4000`, `[fe80::1%eth0]:4000`. */
export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Without duplicates, and loopback before everything else: the same host is reached on the shortest way. */
export function nearestFirst(addresses: Iterable<Address>): Address[] {
  const unique = [...new Map([...addresses].map((each) => [addressText(each), each])).values()];
  return [
    ...unique.filter(({ host }) => isLoopback(host)),
    ...unique.filter(({ host }) => !isLoopback(host)),
  ];
}

/** Whether `address` is among `addresses`. */
export function isAmong(addresses: readonly Address[], address: Address): boolean {
  const text = addressText(address);
  return addresses.some((each) => addressText(each) === text);
}
