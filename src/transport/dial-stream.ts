import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { LookupFunction, Socket as NetSocket } from 'node:net';

import { afterAwake } from '../base/time/awake.ts';
import { systemClock } from '../base/time/clock.ts';
import type { Clock } from '../base/time/clock.ts';
import { HANDSHAKE_TIME } from '../wire/handshake/handshake.ts';
import { addressText, isLoopback } from './address.ts';
import { opened } from './opened.ts';
import type { Tls } from './tls.ts';
import { DialFailed } from './transport.ts';
import type { Address } from './address.ts';

/**
 * Opens a connection: in the clear within this host, with TLS to everywhere else. Only the address decides, never what somebody
 * says about it.
 * @param look looks up a name; default: the resolver of the system
 * @throws DialFailed, or the signal's reason
 */
export async function dialStream(
  address: Address,
  tls: Tls,
  signal: AbortSignal | undefined,
  look: LookUp = lookUp,
  clock: Clock = systemClock,
): Promise<NetSocket> {
  signal?.throwIfAborted();
  let tcp: NetSocket | undefined;
  let giveUp: (reason: Error) => void;
  let accepted = false;
  let isNear = false;
  // A look-up by the system cannot be cancelled, and may take much longer than this dial may.
  const givenUp = new Promise<never>((_, reject) => (giveUp = reject));
  givenUp.catch(ignore);
  const cut = (): void => {
    // This host itself accepts or refuses a connection, unless too many wait for the process already.
    accepted = isNear || tcp?.remoteAddress !== undefined;
    tcp?.destroy();
    giveUp(new Error('no answer in time'));
  };
  const stopTimer = afterAwake(clock, HANDSHAKE_TIME, cut);
  signal?.addEventListener('abort', cut, { once: true });
  try {
    const ips = isIP(address.host) ? [address.host] : await Promise.race([look(address.host), givenUp]);
    signal?.throwIfAborted();
    isNear = ips.every((ip) => isLoopback(ip));
    tcp = connect({
      port: address.port,
      host: address.host,
      lookup: answering(isNear ? ips : ips.filter((ip) => !isLoopback(ip))),
      noDelay: true,
    }).unref();
    await opened(tcp, 'connect');
    if (isOwnEcho(tcp)) throw Object.assign(new Error('nobody listens there'), { code: 'ECONNREFUSED' });
    // Check the address that was really reached, whatever was looked up: plain text must never leave this host.
    return isNear && isLoopback(tcp.remoteAddress ?? '') ? tcp : await tls.secure(tcp);
  } catch (error) {
    tcp?.destroy();
    signal?.throwIfAborted();
    const { code, message } = error as NodeJS.ErrnoException;
    const text = message || code || 'could not connect';
    throw new DialFailed(`${addressText(address)}: ${text}`, code === 'ECONNREFUSED', {
      ...{ cause: error, accepted },
    });
  } finally {
    stopTimer();
    signal?.removeEventListener('abort', cut);
  }
}

/**
 * Whether the connection leads to itself. This happens if nobody listens at a port of this host and the system picks that same
 * port for the local end: the kernel then connects the socket to itself.
 */
function isOwnEcho({ localAddress, localPort, remoteAddress, remotePort }: NetSocket): boolean {
  return localPort === remotePort && localAddress === remoteAddress;
}

type LookUp = (name: string) => Promise<string[]>;

async function lookUp(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

/** The rejection reaches the caller through the race. */
function ignore(): void {}

/** A look-up that returns known addresses. Node itself tries them, alternating between the families. */
function answering(ips: readonly string[]): LookupFunction {
  const all = ips.map((address) => ({ address, family: isIP(address) }));
  return (_, options, callback) => {
    if (options.all) callback(null, all);
    else callback(null, all[0]!.address, all[0]!.family);
  };
}
