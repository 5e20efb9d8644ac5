import { isIP } from 'node:net';

import { NetError } from '../../base/errors.ts';
import { EVERYWHERE, isLoopback } from '../../transport/address.ts';
import type { TlsOptions } from '../../transport/tls.ts';
import { PUBLIC_SECRET, SHORTEST_SECRET, weaknessOf } from '../../wire/handshake/secret.ts';

/**
 * Decides which hosts can reach a peer, and what keeps strangers out. These are the rules about options that depend on
 * each other.
 */

/** A command that writes a new secret into a file that only its owner can read, and does not print it. */
export const MAKE_SECRET =
  `node -e "require('fs').writeFileSync('net.secret', 'net1_' + ` +
  `require('crypto').randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })"`;

/** The options of a peer that concern its exposure. */
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
  /** A function, so that the secret does not show up in a log or an inspector that walks the actors. */
  secret: (() => string) | undefined;
  secretFile: string | undefined;
  /** A function, for the same reason. */
  tls: (() => TlsOptions) | undefined;
}

/**
 * @param hasPass whether the peer has a pass in place of the secret
 * @throws NetError INSECURE for options that would open the peer to strangers; TypeError for options that contradict
 * each other
 */
export function resolveExposure(
  options: ExposureOptions,
  lan: boolean,
  env: (name: string) => string | undefined,
  hasPass: boolean,
): Exposure {
  const insecure = options.insecure ?? false;
  const host = options.host ?? env('APP_NET_HOST') ?? (lan ? EVERYWHERE : '127.0.0.1');
  checkHost(host, lan);
  const given = options.secret ?? (options.secretFile === undefined ? env('APP_NET_SECRET') : undefined);
  const secretFile = options.secretFile ?? env('APP_NET_SECRET_FILE');
  checkInsecure(insecure, lan, given !== undefined || secretFile !== undefined);
  if (lan && !insecure && !hasPass && given === undefined && secretFile === undefined) throw noSecret();
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
      `host: ${host} is not a loopback address, so other hosts could reach this peer; use 127.0.0.1 or ::1, or set ` +
        'lan: true (APP_NET_LAN=1), which needs a secret and encrypts',
    );
  }
  if (!lan) return;
  if (isLoopback(host)) {
    throw new TypeError(
      `host: ${host} cannot be reached from other hosts; with lan: true, give the address of an interface, or leave ` +
        'host out to listen on all of them',
    );
  }
  if (!isIP(host)) throw new TypeError(`host: ${host} is not an IP address`);
}

function checkInsecure(insecure: boolean, lan: boolean, hasSecret: boolean): void {
  if (typeof insecure !== 'boolean') throw new TypeError('insecure: give true or false');
  if (!insecure) return;
  if (!lan) throw new TypeError('insecure: works only together with lan: true; leave it out');
  if (hasSecret) {
    throw new TypeError(
      'insecure: a secret is also set (an option, APP_NET_SECRET or APP_NET_SECRET_FILE); leave out one of the two',
    );
  }
}

function noSecret(): NetError {
  return new NetError(
    'INSECURE',
    'lan: true opens this peer to the network, and there is no secret to keep strangers out. Make one with ' +
      `npx app-net secret, or with: ${MAKE_SECRET}  Copy the file to every host, and start each peer with ` +
      'APP_NET_SECRET_FILE=net.secret',
  );
}

/**
 * Checks the strength of the secret: a stranger that a peer dials by mistake can try to guess a weak one offline.
 * @throws NetError INSECURE for a secret that could be guessed
 */
function hidden(given: string | undefined): (() => string) | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'string' || given === '') {
    throw new TypeError(`secret: give a made secret (net1_…) or at least ${SHORTEST_SECRET} characters`);
  }
  const weakness = weaknessOf(given);
  if (weakness !== undefined) {
    const text = `secret: it must be hard to guess, and this one ${weakness}; make one with npx app-net secret, or with: ${MAKE_SECRET}`;
    throw new NetError('INSECURE', text);
  }
  return () => given;
}

function checkTls(tls: TlsOptions | undefined): TlsOptions | undefined {
  if (tls !== undefined && (!tls?.key || !tls.cert)) {
    throw new TypeError('tls: give { key, cert } as PEM, and ca to have certificates checked');
  }
  return tls;
}
