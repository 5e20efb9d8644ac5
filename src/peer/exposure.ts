import { isIP } from 'node:net';

import { NetError } from '../base/errors.ts';
import { isLoopback } from '../transport/address.ts';
import { EVERYWHERE } from '../transport/entrance.ts';
import type { TlsOptions } from '../transport/tls.ts';
import { PUBLIC_SECRET, SHORTEST_SECRET, weaknessOf } from '../wire/secret.ts';

/** Who can reach a peer, and what keeps strangers out. The rules about options that only make sense together. */

/** Writes a new secret into a file that only its owner can read, and shows it to nobody. */
export const MAKE_SECRET =
  `node -e "require('fs').writeFileSync('net.secret', 'net1_' + ` +
  `require('crypto').randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })"`;

/** Those of a peer's options that this is about. */
export interface ExposureOptions {
  insecure?: boolean | undefined;
  host?: string | undefined;
  secret?: string | undefined;
  secretFile?: string | undefined;
  tls?: TlsOptions | undefined;
}

export interface Exposure {
  lan: boolean;
  insecure: boolean;
  host: string;
  /** A function, so that no log or inspector that walks the actors comes upon it. */
  secret: (() => string) | undefined;
  secretFile: string | undefined;
  /** Likewise. */
  tls: (() => TlsOptions) | undefined;
}

/**
 * @throws NetError INSECURE for what would open the peer to strangers; TypeError for what contradicts itself
 */
export function resolveExposure(
  options: ExposureOptions,
  lan: boolean,
  env: (name: string) => string | undefined,
): Exposure {
  const insecure = options.insecure ?? false;
  const host = options.host ?? env('APP_NET_HOST') ?? (lan ? EVERYWHERE : '127.0.0.1');
  checkHost(host, lan);
  const given = options.secret ?? (options.secretFile === undefined ? env('APP_NET_SECRET') : undefined);
  const secretFile = options.secretFile ?? env('APP_NET_SECRET_FILE');
  checkInsecure(insecure, lan, given !== undefined || secretFile !== undefined);
  if (lan && !insecure && given === undefined && secretFile === undefined) throw noSecret();
  const tls = checkTls(options.tls);
  return {
    lan,
    insecure,
    host,
    secret: insecure ? () => PUBLIC_SECRET : hidden(given),
    secretFile,
    tls: tls && (() => tls),
  };
}

function checkHost(host: string, lan: boolean): void {
  if (typeof host !== 'string' || !host) throw new TypeError('host: give an IP address');
  if (!lan && !isLoopback(host)) {
    throw new NetError(
      'INSECURE',
      `host: ${host} is not a loopback address, and others could reach this peer there; use 127.0.0.1 or ::1, or say ` +
        'lan: true (APP_NET_LAN=1), which needs a secret and encrypts',
    );
  }
  if (!lan) return;
  if (isLoopback(host)) {
    throw new TypeError(
      `host: ${host} cannot be reached from other hosts; with lan: true give the address of an interface, or no host ` +
        'for all of them',
    );
  }
  if (!isIP(host)) throw new TypeError(`host: ${host} is no IP address`);
}

function checkInsecure(insecure: boolean, lan: boolean, hasSecret: boolean): void {
  if (typeof insecure !== 'boolean') throw new TypeError('insecure: give true or false');
  if (!insecure) return;
  if (!lan) throw new TypeError('insecure: has a meaning together with lan: true only; leave it out');
  if (hasSecret) {
    throw new TypeError(
      'insecure: there is a secret (an option, APP_NET_SECRET or APP_NET_SECRET_FILE); leave one of them out',
    );
  }
}

function noSecret(): NetError {
  return new NetError(
    'INSECURE',
    'lan: true opens this peer to the network, and there is no secret that keeps strangers out. Make one with ' +
      `npx app-net secret, or with: ${MAKE_SECRET}  Copy the file to every host, and start each peer with ` +
      'APP_NET_SECRET_FILE=net.secret',
  );
}

/** @throws NetError INSECURE for a secret that somebody could guess who was dialled in a peer's place */
function hidden(given: string | undefined): (() => string) | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'string' || given === '') {
    throw new TypeError(`secret: give a made secret (net1_…) or at least ${SHORTEST_SECRET} characters`);
  }
  const weakness = weaknessOf(given);
  if (weakness !== undefined) {
    const text = `secret: it must not be guessed, and this one ${weakness}; make one with npx app-net secret, or with: ${MAKE_SECRET}`;
    throw new NetError('INSECURE', text);
  }
  return () => given;
}

function checkTls(tls: TlsOptions | undefined): TlsOptions | undefined {
  if (tls !== undefined && (!tls?.key || !tls.cert)) {
    throw new TypeError('tls: give { key, cert } as PEM, and ca if certificates are to be checked');
  }
  return tls;
}
