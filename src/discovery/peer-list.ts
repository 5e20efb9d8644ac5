import { BlockList, isIP } from 'node:net';

import { isLoopback, plainIp } from '../transport/address.ts';
import type { Scope } from '../transport/scope.ts';
import type { Address } from '../transport/address.ts';
import type { WirePeer } from '../wire/frames.ts';
import { MOST_ADDRESSES, MOST_PEERS } from '../wire/guards.ts';
import type { Hint } from './provider.ts';

/** What one peer tells another of those it knows, and what the other makes of it. */

/** Addresses that mean nothing to anybody else, or no single peer: unspecified, multicast, broadcast, link-local IPv6. */
const NOBODY = new BlockList();
NOBODY.addSubnet('0.0.0.0', 8, 'ipv4');
NOBODY.addSubnet('224.0.0.0', 3, 'ipv4');
NOBODY.addAddress('::', 'ipv6');
NOBODY.addSubnet('ff00::', 8, 'ipv6');
NOBODY.addSubnet('fe80::', 10, 'ipv6');

/**
 * @param scope where the peer is that is told
 * @param largest characters that it can take
 */
export function peerList(known: Iterable<Hint>, scope: Scope, largest: number): WirePeer[] {
  const list: WirePeer[] = [];
  let length = 0;
  for (const { id, incarnation, addresses } of known) {
    const useful = addresses.filter((address) => meansTheSame(address, scope)).slice(0, MOST_ADDRESSES);
    if (useful.length === 0) continue;
    const peer = { id, incarnation, addresses: useful.map(({ host, port }) => ({ host, port })) };
    length += JSON.stringify(peer).length + 1;
    if (list.length === MOST_PEERS || length > largest) break;
    list.push(peer);
  }
  return list;
}

/** @param scope where the peer is that told us */
export function hintsOf(peers: readonly WirePeer[], scope: Scope): Hint[] {
  return peers.flatMap(({ id, incarnation, addresses }) => {
    const useful = addresses.filter((address) => meansTheSame(address, scope));
    return useful.length > 0 ? [{ id, incarnation, addresses: useful }] : [];
  });
}

/** Whether an address leads to the same place from here as from a peer that is there. */
function meansTheSame({ host }: Address, scope: Scope): boolean {
  // Whatever is said within a host is true for all of it.
  if (scope === 'host') return true;
  const ip = plainIp(host);
  const family = isIP(ip);
  return family !== 0 && !isLoopback(ip) && !NOBODY.check(ip, family === 6 ? 'ipv6' : 'ipv4');
}
