import type { Server as HttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket as NetSocket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { TLSSocket } from 'node:tls';

import { EVERYWHERE, canonicalIp, isLoopback } from './address.ts';
import type { Gate } from './gate.ts';
import type { Tls } from './tls.ts';
import type { Address } from './address.ts';
import type { ListenOptions } from './transport.ts';

export interface Entrance {
  /** The addresses at which others reach it, the nearest first. */
  addresses: Address[];
  /** Resolves when the entrance and every connection that came in are closed. */
  ended: Promise<void>;
  close(): void;
}

/** As `node:http` has them: a side that has nothing more to say may still be answered. */
const OPTIONS = { noDelay: true, allowHalfOpen: true };

/**
 * Accepts connections. Connections within this host are taken as they are, all others go through TLS first. Only the addresses
 * of the connection decide, never anything that the dialler says.
 */
export async function openEntrance(
  take: (stream: NetSocket) => void,
  gate: Gate,
  { host, ports }: ListenOptions,
  tls: Tls,
): Promise<Entrance> {
  if (isLoopback(host)) {
    const server = createServer(OPTIONS, (tcp) => {
      if (gate.enter(tcp)) take(tcp);
    });
    return open(server, host, ports);
  }
  const secure = await tls.server();
  /** The TCP connections under TLS, by their two ends. */
  const underneath = new Map<string, NetSocket>();
  secure.on('secureConnection', (stream: TLSSocket) => {
    const tcp = underneath.get(bothEnds(stream));
    if (tcp) gate.encrypted(tcp, stream);
    take(stream);
  });
  const server = createServer(OPTIONS, (tcp) => {
    if (!gate.enter(tcp)) return;
    const { localAddress = '', remoteAddress = '' } = tcp;
    if (isLoopback(localAddress) && isLoopback(remoteAddress)) {
      take(tcp);
      return;
    }
    const ends = bothEnds(tcp);
    underneath.set(ends, tcp);
    tcp.once('close', () => underneath.delete(ends));
    secure.emit('connection', tcp);
  });
  return open(server, host, ports);
}

/** Listens, and says where. */
export async function open(
  server: Server | HttpServer,
  host: string,
  ports: ListenOptions['ports'],
): Promise<Entrance> {
  const bound = await bind(server, host, ports);
  // An error of a listening server is about one accept (EMFILE). The next accept may succeed.
  server.on('error', ignore);
  server.unref();
  const ended = new Promise<void>((resolve) => server.once('close', resolve));
  const addresses = reachable(host, bound.address).map((each) => ({ host: each, port: bound.port }));
  return { addresses, ended, close: () => server.close() };
}

/**
 * Binds the first free port of the range, exclusively. Otherwise the workers of a `node:cluster` would share the port, and a
 * connection would reach any of them.
 */
async function bind(
  server: Server | HttpServer,
  host: string,
  [first, last]: ListenOptions['ports'],
): Promise<AddressInfo> {
  for (let port = first; ; port += 1) {
    try {
      // One port after the other, on purpose: the first free one is wanted.
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        // Without a host Node takes `::`, or `0.0.0.0` where there is no IPv6.
        server.listen({ port, exclusive: true, ...(host !== EVERYWHERE && { host }) }, () => {
          server.off('error', reject);
          resolve();
        });
      });
      return server.address() as AddressInfo;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port >= last) throw error;
    }
  }
}

/**
 * The addresses to tell others. Link-local addresses are left out: they need the name of an interface, which differs at the other
 * end.
 * @param host as the user gave it
 * @param bound the address that was bound; it is used instead of `host` if that is a name
 */
function reachable(host: string, bound: string): string[] {
  const ip = canonicalIp(host) ?? bound;
  if (ip !== EVERYWHERE && ip !== '0.0.0.0') return [ip];
  const others = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(
      ({ internal, family, scopeid }) => !internal && !scopeid && (ip === EVERYWHERE || family === 'IPv4'),
    )
    .map(({ address }) => address);
  return ['127.0.0.1', ...others];
}

/** Names a connection by its two ends. */
export function bothEnds({ localAddress, localPort, remoteAddress, remotePort }: NetSocket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}

function ignore(): void {}
