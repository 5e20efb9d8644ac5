import { addressText } from './address.ts';
import type { Address } from './address.ts';
import { isOnHost } from './scope.ts';
import { DialFailed } from './transport.ts';
import type { Transport } from './transport.ts';

/** Whether a peer that does not leave its host goes there: to loopback and to this host's own addresses, and by no name. */
export function isWithinHost({ host }: Address): boolean {
  return isOnHost(host);
}

/** The same transport for a peer without `lan`: it dials nobody beyond its host, whoever says that somebody is there. */
export function withinHost(transport: Transport): Transport {
  return {
    listen: (options, accept) => transport.listen(options, accept),
    dial: (address, options) =>
      isWithinHost(address)
        ? transport.dial(address, options)
        : Promise.reject(
            new DialFailed(`${addressText(address)} is beyond this host, and lan is not set`, false),
          ),
  };
}
