import { hostNetwork } from '../../src/providers/host/host-network.ts';
import { resolveOptions } from '../../src/peer/options/options.ts';
import type { Network } from '../../src/providers/network.ts';
import type { TlsOptions } from '../../src/transport/tls.ts';

/**
 * For a peer with `lan: true`: the host's own network without multicast DNS, so that nobody is found but in the runtime
 * directory and at seeds: neither other peers of the test, nor real ones on the network around.
 */
export function withoutMulticast(runtimeDir: string, tls?: TlsOptions): Network {
  return hostNetwork(resolveOptions({ runtimeDir, tls }, {}));
}
