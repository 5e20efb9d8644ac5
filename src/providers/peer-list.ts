import { ipAddresses, isLoopback } from '../transport/address.ts';
import type { Scope } from '../transport/scope.ts';
import type { WirePeer } from '../wire/frames.ts';
import { MOST_ADDRESSES, MOST_PEERS } from '../wire/guards.ts';
import { hintedAddress } from './hint.ts';
import type { Hint, HintedAddress } from './hint.ts';

/** What one peer tells another of those it knows, and what the other makes of it. */

/** `ff00::/8`, in the one form of an address. */
const MULTICAST = /^ff[0-9a-f]{2}:/;

/** `fe80::/10`. */
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/;

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
    if (isNobody(host)) return false;
    return scope === 'host' || !(isLoopback(host) || LINK_LOCAL.test(host));
  });
}

/** Whether no peer is there: unspecified, which some systems take for this host, multicast or broadcast. */
function isNobody(ip: string): boolean {
  if (ip.includes(':')) return ip === '::' || MULTICAST.test(ip);
  const first = Number.parseInt(ip, 10);
  return first === 0 || first >= 224;
}
