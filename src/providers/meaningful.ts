import { ipAddresses, isAtBroker, isLoopback } from '../transport/address.ts';
import type { Scope } from '../transport/scope.ts';
import { hintedAddress } from './hint.ts';
import type { HintedAddress } from './hint.ts';

/** Which addresses of a peer mean the same to two peers that tell each other of it. */

/** `ff00::/8`, in the canonical form of an address. */
const MULTICAST = /^ff[0-9a-f]{2}:/;

/** `fe80::/10`. */
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/;

/**
 * The IP addresses that lead to the same place from here and from a peer in that scope. Names are always dropped.
 * Addresses at a broker are kept.
 * @param scope where the peer is that tells them, or is told
 */
export function meaningful(addresses: readonly HintedAddress[], scope: Scope): HintedAddress[] {
  // The address of a life at a broker means the same everywhere.
  const brokers = addresses.filter(isAtBroker).map(hintedAddress);
  const ips = ipAddresses(addresses.map(hintedAddress)).filter(({ host }) => {
    // A zone has a meaning on one host only, and on that host the peer is found in another way.
    if (host.includes('%')) return false;
    if (isNobody(host)) return false;
    return scope === 'host' || !(isLoopback(host) || LINK_LOCAL.test(host));
  });
  return [...ips, ...brokers];
}

/** Whether no peer can be there: an unspecified address (for some systems, this host), multicast or broadcast. */
function isNobody(ip: string): boolean {
  if (ip.includes(':')) return ip === '::' || MULTICAST.test(ip);
  const first = Number.parseInt(ip, 10);
  return first === 0 || first >= 224;
}
