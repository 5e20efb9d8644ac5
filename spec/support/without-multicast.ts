import { hostNetwork } from '../../src/discovery/host-network.ts';
import type { Network } from '../../src/network.ts';
import type { TlsOptions } from '../../src/transport/tls.ts';

/**
 * For a peer with `lan: true`: the host's own network without multicast DNS, so that nobody is found but in the runtime
 * directory and at seeds: neither other peers of the test, nor real ones on the network around.
 */
export function withoutMulticast(runtimeDir: string, tls?: TlsOptions): Network {
  return hostNetwork({ runtimeDir, tls: tls && (() => tls), lan: false, host: '127.0.0.1' });
}
