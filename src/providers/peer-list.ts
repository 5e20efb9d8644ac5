import { ipAddresses, isLoopback } from '../transport/address.ts';
import type { Scope } from '../transport/scope.ts';
import type { WirePeer } from '../wire/frames.ts';
import { MOST_ADDRESSES, MOST_PEERS } from '../wire/guards.ts';
import { hintedAddress } from './hint.ts';
import type { Hint, HintedAddress } from './hint.ts';

/** The list of known peers that one peer sends to another, and the hints that the other derives from it. */

/** `ff00::/8`, in the canonical form of an address. */
const MULTICAST = /^ff[0-9a-f]{2}:/;

/** `fe80::/10`. */
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/;

/**
 * @param scope where the receiver of the list is
 * @param largest characters that the receiver accepts
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

/** @param scope where the sender of the list is */
export function hintsOf(peers: readonly WirePeer[], scope: Scope): Hint[] {
  return peers.flatMap(({ id, incarnation, addresses }) => {
    const useful = meaningful(addresses, scope);
    return useful.length > 0 ? [{ id, incarnation, addresses: useful }] : [];
  });
}

/** The IP addresses that lead to the same place from here and from a peer in that scope. Names are always dropped. */
function meaningful(addresses: readonly HintedAddress[], scope: Scope): HintedAddress[] {
  return ipAddresses(addresses.map(hintedAddress)).filter(({ host }) => {
    // A zone has a meaning on one host only, and on that host the peer is found in another way.
    if (host.includes('%')) return false;
    if (isNobody(host)) return false;
    return scope === 'host' || !(isLoopback(host) || LINK_LOCAL.test(host));
  });
}

/** Whether no peer can be there: an unspecified address (for some systems, this host), multicast or broadcast. */
function isNobody(ip: string): boolean {
  if (ip.includes(':')) return ip === '::' || MULTICAST.test(ip);
  const first = Number.parseInt(ip, 10);
  return first === 0 || first >= 224;
}
