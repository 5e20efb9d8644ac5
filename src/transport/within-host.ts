import { addressText } from './address.ts';
import type { Address } from './address.ts';
import { isOnHost } from './scope.ts';
import { DialFailed } from './transport.ts';
import type { Transport } from './transport.ts';

/** Whether a peer without `lan` may dial this address: loopback or an address of this host, but no name. */
export function isWithinHost({ host }: Address): boolean {
  return isOnHost(host);
}

/** The transport for a peer without `lan`: it dials nobody beyond its host, whatever hints it gets. */
export function withinHost(transport: Transport): Transport {
  return {
    listen: (options, accept) => transport.listen(options, accept),
    dial: (address, options) =>
      isWithinHost(address)
        ? transport.dial(address, options)
        : Promise.reject(
            new DialFailed(
              `${addressText(address)} is not on this host; set lan: true (APP_NET_LAN=1) to dial other hosts`,
              false,
            ),
          ),
  };
}
