import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, NetConnectOpts, Socket as NetSocket } from 'node:net';

import { WebSocket, WebSocketServer } from 'ws';

import { CLOSE, SUBPROTOCOL } from '../wire/frames.ts';
import { HANDSHAKE_BYTES, HANDSHAKE_TIME } from '../wire/handshake.ts';
import type { Binding } from '../wire/handshake.ts';
import { Gate } from './gate.ts';
import { Inbox } from './inbox.ts';
import { hostInUrl, plainIp } from './address.ts';
import { scopeOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { DialFailed } from './transport.ts';
import type {
  Address,
  DialOptions,
  Listener,
  ListenOptions,
  Receiver,
  Socket,
  Transport,
} from './transport.ts';

/** WebSocket over plain TCP on loopback. The only file that knows `ws`. */
export const webSocketTransport: Transport = { listen, dial };

/** How long an orderly close may take before the connection is cut, in ms. */
const CLOSE_TIME = 1_000;

async function listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
  // What a request may send before the upgrade is bounded by Node's own limit on headers.
  const server = createServer({ headersTimeout: HANDSHAKE_TIME, requestTimeout: HANDSHAKE_TIME });
  const gate = new Gate({ host: options.host, origins: options.origins });
  const upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.largestMessage,
    handleProtocols: () => SUBPROTOCOL,
  });
  server.on('connection', (tcp) => gate.enter(tcp));
  server.on('request', (request, response) => {
    // To anything that is not a peer: no body, no server name, no word about what runs here.
    response.writeHead(426, { Connection: 'close, Upgrade', Upgrade: 'websocket', 'Content-Length': 0 });
    response.end(() => request.socket.destroySoon());
  });
  server.on('upgrade', (request: IncomingMessage, tcp: NetSocket, head: Buffer) => {
    const refusal = gate.refuse(request);
    if (refusal) {
      tcp.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
        tcp.destroySoon(),
      );
      return;
    }
    upgrader.handleUpgrade(request, tcp, head, (ws) => {
      accept(new WebSocketSocket(ws, tcp, gate));
    });
  });
  const address = await bind(server, options);
  // An error of a server that listens is one of a single accept (EMFILE); the next accept may work again.
  server.on('error', ignore);
  server.unref();
  return {
    addresses: [address],
    close: () => {
      server.close();
      gate.clear();
      return Promise.resolve();
    },
  };
}

/** Binds the first free port of the range. */
async function bind(server: Server, { host, ports: [first, last] }: ListenOptions): Promise<Address> {
  for (let port = first; ; port += 1) {
    try {
      // One after the other on purpose: the first free port is wanted.
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      return { host, port: (server.address() as AddressInfo).port };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port >= last) throw error;
    }
  }
}

function dial(address: Address, { largestMessage, signal }: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const host = hostInUrl(address.host);
    const ws = new WebSocket(`ws://${host}:${address.port}/`, SUBPROTOCOL, {
      perMessageDeflate: false,
      maxPayload: largestMessage,
      handshakeTimeout: HANDSHAKE_TIME,
      // Masks protect proxies from what a web page makes a browser send. No page and no proxy is here, and a mask of
      // zeros, which changes nothing, spares both sides a walk over every byte.
      generateMask: () => {},
      createConnection: (options: unknown) => {
        // `path` is the URL's here, and would be taken for that of a Unix socket.
        const tcp = connect({ ...(options as NetConnectOpts), path: undefined } as NetConnectOpts);
        return tcp.unref();
      },
    });
    let tcp: NetSocket | undefined;
    const abort = (): void => {
      ws.terminate();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', abort, { once: true });
    ws.once('upgrade', (response) => (tcp = response.socket));
    ws.once('error', (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener('abort', abort);
      const refused = error.code === 'ECONNREFUSED';
      reject(new DialFailed(`${host}:${address.port}: ${error.message}`, refused, { cause: error }));
    });
    ws.once('open', () => {
      signal?.removeEventListener('abort', abort);
      resolve(new WebSocketSocket(ws, tcp!, undefined));
    });
  });
}

/** The acceptor's address, which both ends of a plain loopback connection see alike. */
function loopbackBinding(address: string | undefined, port: number | undefined): Binding {
  return { kind: 'loopback', data: Buffer.from(`${hostInUrl(plainIp(address ?? ''))}:${port}`) };
}

/** ws closes the connection itself after each of its errors; the code tells, and 'close' follows. */
function ignore(): void {}

class WebSocketSocket implements Socket {
  readonly #ws: WebSocket;
  readonly #tcp: NetSocket;
  readonly #inbox = new Inbox();
  /** What an accepted connection came through; undefined for one that was dialled. */
  readonly #gate: Gate | undefined;
  #trusted = false;

  constructor(ws: WebSocket, tcp: NetSocket, gate: Gate | undefined) {
    this.#ws = ws;
    this.#tcp = tcp;
    this.#gate = gate;
    tcp.unref();
    tcp.on('data', this.#limitStranger);
    ws.on('message', (data, isBinary) => {
      if (isBinary) this.close(CLOSE.BAD_FRAME, 'binary message');
      else this.#inbox.message((data as Buffer).toString('utf8'));
    });
    ws.on('error', ignore);
    ws.on('close', (code) => this.#inbox.closed(code));
  }

  get binding(): Binding {
    const { localAddress, localPort, remoteAddress, remotePort } = this.#tcp;
    return this.#gate ? loopbackBinding(localAddress, localPort) : loopbackBinding(remoteAddress, remotePort);
  }

  get scope(): Scope {
    return scopeOf(this.#tcp.remoteAddress ?? '');
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  send(message: string): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send(message);
  }

  whenDrained(callback: () => void): void {
    this.#tcp.once('drain', callback);
  }

  receive(receiver: Receiver | undefined): void {
    this.#inbox.receive(receiver);
  }

  trust(): void {
    this.#trusted = true;
    this.#tcp.off('data', this.#limitStranger);
    this.#gate?.leave(this.#tcp);
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason);
    const cut = setTimeout(() => this.#ws.terminate(), CLOSE_TIME).unref();
    this.#ws.once('close', () => clearTimeout(cut));
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /**
   * `maxPayload` is the limit for friends; a stranger has far less, upgrade request included. The last message of
   * a handshake may share its packet with a large first request, so this can be called once after `trust`.
   */
  readonly #limitStranger = (): void => {
    if (!this.#trusted && this.#tcp.bytesRead > 2 * HANDSHAKE_BYTES) this.#tcp.destroy();
  };
}
