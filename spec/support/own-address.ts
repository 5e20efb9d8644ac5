import { networkInterfaces } from 'node:os';

import { need } from './need.ts';

/** An address of this host that is not loopback: what is sent to it uses TLS. Undefined where there is none. */
export function ownAddress(family: 'IPv4' | 'IPv6' = 'IPv4'): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find((each) => !each.internal && !each.scopeid && each.family === family)?.address;
}

/** The same, for a test or a hook that is skipped without one. */
export function needOwnAddress(test: Mocha.Context): string {
  const own = ownAddress();
  need(test, own, 'an address of this host beside loopback');
  return own;
}

/** Whether this host can talk to itself by IPv6. */
export function hasIPv6(): boolean {
  return Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'));
}
