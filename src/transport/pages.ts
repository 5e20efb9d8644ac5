import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Server as SecureServer } from 'node:https';
import type { Socket as NetSocket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import { messageOf } from '../base/text.ts';
import { bothEnds, open } from './entrance.ts';
import { isAt } from './attach.ts';
import { Gate } from './gate.ts';
import type { GateOptions } from './gate.ts';
import { owned } from './owned.ts';
import { refuseRequest, refuseUpgrade } from './refusals.ts';
import type { Listener, Socket } from './transport.ts';
import { Upgrader } from './websocket.ts';

/** Lets web pages in: at a port of their own, or at a server of the user. */

/**
 * Key and certificate (PEM) that browsers accept.
 *
 * @example
 * const tls: PageCertificate = { key: await readFile('key.pem'), cert: await readFile('cert.pem') };
 * createPeer({ pages: { port: 4000, tls } });
 */
export interface PageCertificate {
  key: string | Buffer;
  cert: string | Buffer;
}

export interface DoorOptions extends Omit<GateOptions, 'isForPages'> {
  /** The path of the URL. Other paths are not there. */
  path: string;
  /** Bytes of the largest message that is accepted. */
  largestMessage: number;
}

export interface PagesPort {
  host: string;
  port: number;
  tls: PageCertificate | undefined;
}

/**
 * Listens for pages.
 * @throws TypeError for a key or a certificate that cannot be used; the error of the system if it cannot listen
 */
export async function listenForPages(
  { host, port, tls }: PagesPort,
  options: DoorOptions,
  accept: (socket: Socket) => void,
): Promise<Listener> {
  const door = new Door(options, accept);
  // The gate bounds the time of a stranger, see `websocket.ts`.
  const times = { headersTimeout: 0, requestTimeout: 0 };
  const server = tls ? secureServer(tls, times) : createServer(times);
  if (tls) letInEncrypted(server as SecureServer, door.gate);
  else server.on('connection', (tcp: NetSocket) => door.gate.enter(tcp));
  server.on('request', refuseRequest);
  server.on('upgrade', (request: IncomingMessage, stream: NetSocket, head: Buffer) => {
    if (isAt(options.path, request)) door.take(request, stream, head);
    else refuseUpgrade(owned(stream), '404 Not Found');
  });
  const entrance = await open(server, host, [port, port]);
  return {
    addresses: entrance.addresses,
    ended: entrance.ended,
    close: () => {
      entrance.close();
      door.gate.clear();
      return Promise.resolve();
    },
  };
}

/** Where pages come in at one path. */
export class Door {
  readonly gate: Gate;
  readonly #upgrader: Upgrader;

  constructor(options: DoorOptions, accept: (socket: Socket) => void) {
    this.gate = new Gate({ ...options, isForPages: true });
    this.#upgrader = new Upgrader(this.gate, options.largestMessage, accept);
  }

  take(request: IncomingMessage, stream: NetSocket, head: Buffer): void {
    this.#upgrader.take(request, stream, head);
  }
}

function secureServer(tls: PageCertificate, times: object): SecureServer {
  try {
    return createSecureServer({ ...times, key: tls.key, cert: tls.cert, minVersion: 'TLSv1.2' });
  } catch (cause) {
    const text = `pages.tls: key and cert do not belong together, or are not in PEM format: ${messageOf(cause)}`;
    throw new TypeError(text, { cause });
  }
}

/** A connection counts as a stranger from its first byte, which is before it is encrypted. */
function letInEncrypted(server: SecureServer, gate: Gate): void {
  /** The TCP connections under TLS, by their two ends. */
  const underneath = new Map<string, NetSocket>();
  server.on('connection', (tcp: NetSocket) => {
    if (!gate.enter(tcp)) return;
    const ends = bothEnds(tcp);
    underneath.set(ends, tcp);
    tcp.once('close', () => underneath.delete(ends));
  });
  server.on('secureConnection', (stream: TLSSocket) => {
    owned(stream);
    const tcp = underneath.get(bothEnds(stream));
    if (tcp) gate.encrypted(tcp, stream);
  });
  server.on('tlsClientError', (_, stream) => owned(stream).destroy());
}
