import { BlockList, isIPv6 } from 'node:net';

import { ipAddresses, isLoopback } from '../transport/address.ts';
import type { Scope } from '../transport/scope.ts';
import type { WirePeer } from '../wire/frames.ts';
import { MOST_ADDRESSES, MOST_PEERS } from '../wire/guards.ts';
import { hintedAddress } from './hint.ts';
import type { Hint, HintedAddress } from './hint.ts';

/** What one peer tells another of those it knows, and what the other makes of it. */

/** Addresses at which there is no peer: unspecified, multicast, broadcast. Some systems take the first for this host. */
const NOBODY = new BlockList();
NOBODY.addSubnet('0.0.0.0', 8, 'ipv4');
NOBODY.addSubnet('224.0.0.0', 3, 'ipv4');
NOBODY.addAddress('::', 'ipv6');
NOBODY.addSubnet('ff00::', 8, 'ipv6');

/** Addresses that mean something else on every link. */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');

/**
 * @param scope where the peer is that is told
 * @param largest characters that it can take
 */
export function peerList(known: Iterable<Hint>, scope: Scope, largest: number): WirePeer[] {
  const list: WirePeer[] = [];
  let length = 0;
  for (const { id, incarnation, addresses } of known) {
    const useful = meaningful(addresses, scope).slice(0, MOST_ADDRESSES);
    if (useful.length === 0) continue;
    const peer = { id, incarnation, addresses: useful };
    length += JSON.stringify(peer).length + 1;
    if (list.length === MOST_PEERS || length > largest) break;
    list.push(peer);
  }
  return list;
}

/** @param scope where the peer is that told us */
export function hintsOf(peers: readonly WirePeer[], scope: Scope): Hint[] {
  return peers.flatMap(({ id, incarnation, addresses }) => {
    const useful = meaningful(addresses, scope);
    return useful.length > 0 ? [{ id, incarnation, addresses: useful }] : [];
  });
}

/** The IP addresses that lead to the same place from here as from a peer that is there. Names are none, whoever tells them. */
function meaningful(addresses: readonly HintedAddress[], scope: Scope): HintedAddress[] {
  return ipAddresses(addresses.map(hintedAddress)).filter(({ host }) => {
    // A zone is of one host's own, and within it a peer that listens there is found in another way.
    if (host.includes('%')) return false;
    const family = isIPv6(host) ? 'ipv6' : 'ipv4';
    if (NOBODY.check(host, family)) return false;
    return scope === 'host' || !(isLoopback(host) || LINK_LOCAL.check(host, family));
  });
}
