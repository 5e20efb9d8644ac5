import { BlockList, isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { NetworkInterfaceInfo } from 'node:os';

import { isLoopback, plainIp } from './address.ts';

/** Where a peer is, as seen from here: on this host, on a network this host is in, or beyond. */
export type Scope = 'host' | 'lan' | 'wan';

/** Addresses that are not routed on the internet: RFC 1918, RFC 3927, RFC 6598, RFC 4193, RFC 4291. */
const PRIVATE = new BlockList();
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  PRIVATE.addSubnet(net, bits, 'ipv4');
}
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/**
 * Told from the other end of the connection itself, not from what the peer says.
 * @param interfaces looks up those of this host, where the answer depends on them; default: as they are now
 */
export function scopeOf(
  remote: string,
  interfaces: () => readonly NetworkInterfaceInfo[] = ownInterfaces,
): Scope {
  const [ip = ''] = plainIp(remote).split('%');
  // By far the most frequent, and a question to the system costs a hundred times as much.
  if (isLoopback(ip)) return 'host';
  if (isIP(ip) === 0) return 'wan';
  const family = isIPv6(ip) ? 'ipv6' : 'ipv4';
  const own = interfaces();
  if (own.some(({ address }) => address === ip)) return 'host';
  if (PRIVATE.check(ip, family)) return 'lan';
  // Public addresses on the same link: usual with IPv6.
  const near = new BlockList();
  for (const { address, cidr } of own) {
    if (cidr && isIPv6(address) === isIPv6(ip)) near.addSubnet(address, Number(cidr.split('/')[1]), family);
  }
  return near.check(ip, family) ? 'lan' : 'wan';
}

/** None where the system does not say, as at the limit of descriptors: then an address of this host counts as one of its network. */
function ownInterfaces(): NetworkInterfaceInfo[] {
  try {
    return Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  } catch {
    return [];
  }
}
