import { BlockList, isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { NetworkInterfaceInfo } from 'node:os';

import { isLoopback, plainIp } from './address.ts';

/**
 * Where a peer is, as seen from this host. `host`: on this host. `lan`: on a network of this host. `wan`: beyond.
 *
 * @example
 * const scope: Scope = 'host';
 * await getPeers({ scope });
 */
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

/** The addresses and networks of this host. */
export interface Surroundings {
  /** The host's own addresses. */
  own: ReadonlySet<string>;
  /** The networks of its interfaces. With IPv6, even the addresses on a local link are usually public ones. */
  near: BlockList;
}

export function surroundingsOf(interfaces: readonly NetworkInterfaceInfo[]): Surroundings {
  const near = new BlockList();
  for (const { address, cidr } of interfaces) {
    if (cidr) near.addSubnet(address, Number(cidr.split('/')[1]), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return { own: new Set(interfaces.map(({ address }) => address)), near };
}

/**
 * The scope of a connection, by the address of its other end, not by what the peer says.
 * @param around returns the surroundings, and is called only if the result depends on them; default: the present ones
 */
export function scopeOf(remote: string, around: () => Surroundings = surroundings): Scope {
  if (isLoopback(remote)) return 'host';
  const [ip = ''] = plainIp(remote).split('%');
  if (isIP(ip) === 0) return isLoopback(ip) ? 'host' : 'wan';
  if (isOnHost(ip, around)) return 'host';
  const family = isIPv6(ip) ? 'ipv6' : 'ipv4';
  return PRIVATE.check(ip, family) || around().near.check(ip, family) ? 'lan' : 'wan';
}

/** Whether it is an address of this host. */
export function isOnHost(address: string, around: () => Surroundings = surroundings): boolean {
  // Loopback first: it is by far the most frequent, and asking the system costs a hundred times as much.
  if (isLoopback(address)) return true;
  const [ip = ''] = plainIp(address).split('%');
  return around().own.has(ip);
}

/** How long an answer of the system is reused, in ms. */
const FRESH = 100;

let known: { at: number; around: Surroundings } | undefined;

/**
 * The present surroundings. The system takes 50 to 200 µs to answer, so the answer is reused for a list of addresses. They are
 * empty if the system does not answer, for example at the limit of file descriptors. An address of this host then counts as one
 * of its network.
 */
function surroundings(): Surroundings {
  const now = performance.now();
  if (known && now - known.at < FRESH) return known.around;
  try {
    const around = surroundingsOf(Object.values(networkInterfaces()).flatMap((each) => each ?? []));
    known = { at: now, around };
    return around;
  } catch {
    return surroundingsOf([]);
  }
}
