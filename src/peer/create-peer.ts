import { resolveOptions } from './options/options.ts';
import type { PeerOptions } from './options/options.ts';
import { Peer } from './peer.ts';

/**
 * Makes a peer that is independent of the default one. Several peers in one process work like several processes. A peer
 * keeps the process alive from `start()` to `stop()`.
 * @throws TypeError that names an unknown or invalid option; NetError INSECURE for options that would open the peer to
 *   strangers, such as a `host` that is not loopback without `lan`
 *
 * @example
 * const peer = createPeer({ name: 'render-1', group: 'gpu' });
 * await peer.start();
 */
export function createPeer(options: PeerOptions = {}): Peer {
  return new Peer(resolveOptions(options, process.env), true);
}
