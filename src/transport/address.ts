import { isIPv6 } from 'node:net';

/** Where somebody can be reached. */
export interface Address {
  /** IP address or host name. */
  host: string;
  port: number;
}

const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|localhost)$/;
const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/** An IPv4 address that is mapped into IPv6, as a socket for both writes it, becomes plain IPv4. */
export function plainIp(ip: string): string {
  return ip.replace(MAPPED, '');
}

/** Whether packets to this address never leave the host. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(plainIp(host));
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
