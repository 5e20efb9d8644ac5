import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import { TLSSocket } from 'node:tls';

import { WebSocket, WebSocketServer } from 'ws';

import { afterAwake } from '../base/time/awake.ts';
import { systemClock } from '../base/time/clock.ts';
import { warnOfUnforeseen } from '../base/unforeseen.ts';
import { SUBPROTOCOL } from '../wire/frames.ts';
import { HANDSHAKE_BYTES, HANDSHAKE_TIME } from '../wire/handshake/handshake.ts';
import type { Binding } from '../wire/handshake/proof.ts';
import { Gate } from './gate.ts';
import type { PageEnd } from './gate.ts';
import { refuseRequest, refuseUpgrade } from './refusals.ts';
import { Inbox } from './inbox.ts';
import { hearLastWords } from './last-words.ts';
import { addressText, hostInUrl, plainIp } from './address.ts';
import { dialStream } from './dial-stream.ts';
import { openEntrance } from './entrance.ts';
import { scopeOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { exporterBinding, Tls } from './tls.ts';
import { askForUpgrade } from './upgrade.ts';
import type { TlsOptions } from './tls.ts';
import { DialFailed } from './transport.ts';
import type { Address } from './address.ts';
import type { DialOptions, Listener, ListenOptions, Receiver, Socket, Transport } from './transport.ts';

/**
 * WebSocket: over plain TCP within this host, over TLS beyond it. Only this file imports `ws`.
 * @param given the user's certificate; without one, a certificate is made when it is needed. It is a function, so that a log or
 * inspector that walks the actors does not find the key.
 */
export function webSocketTransport(given: () => TlsOptions | undefined = () => undefined): Transport {
  const tls = new Tls(given);
  return {
    listen: (options, accept) => listen(options, tls, accept),
    dial: (address, options) => dial(address, tls, options),
  };
}

/** How long an orderly close may take before the connection is cut, in ms. */
const CLOSE_TIME = 1_000;

/**
 * Limits for one message, on both ends. Compression is off, whatever the other side offers: a few bytes that expand to many are a
 * weapon, and a secret next to somebody else's text can be guessed from how well both compress. Peers send a message in one
 * piece, but the network may deliver it in many: a message of the largest default size may arrive in pieces of 256 bytes each.
 */
const PARTS = { perMessageDeflate: false, maxFragments: 1_024, maxBufferedChunks: 65_536 };

/**
 * This file answers pings itself. `ws` cuts a connection when more than 60 of its own answers wait to be written, and a peer that
 * was busy for two minutes finds more than 60 pings of a peer that waited patiently.
 */
const PONGS = { autoPong: false };

/**
 * Masks protect proxies from data that a web page makes a browser send. There is no page and no proxy here. A mask of zeros
 * changes nothing, and saves both sides a pass over every byte.
 */
const NO_MASK = (): void => {};

async function listen(options: ListenOptions, tls: Tls, accept: (socket: Socket) => void): Promise<Listener> {
  // Node's limit on headers bounds the size of a request before the upgrade, and the gate bounds its time. Node's own timers are
  // off because they would also count the time in which this process was too busy to read.
  const server = createServer({ headersTimeout: 0, requestTimeout: 0 });
  const gate = new Gate(options);
  const upgrader = new Upgrader(gate, options.largestMessage, accept);
  server.on('request', refuseRequest);
  server.on('upgrade', (request: IncomingMessage, stream: NetSocket, head: Buffer) =>
    upgrader.take(request, stream, head),
  );
  const entrance = await openEntrance(server, gate, options, tls);
  return {
    addresses: entrance.addresses,
    ended: entrance.ended,
    close: () => {
      entrance.close();
      gate.clear();
      return Promise.resolve();
    },
  };
}

/** Turns upgrades that a gate admits into sockets. */
export class Upgrader {
  readonly #gate: Gate;
  readonly #accept: (socket: Socket) => void;
  readonly #server: WebSocketServer;

  constructor(gate: Gate, largestMessage: number, accept: (socket: Socket) => void) {
    this.#gate = gate;
    this.#accept = accept;
    this.#server = new WebSocketServer({
      ...{ noServer: true, clientTracking: false, ...PARTS, ...PONGS },
      maxPayload: largestMessage,
      handleProtocols: () => SUBPROTOCOL,
    });
  }

  take(request: IncomingMessage, stream: NetSocket, head: Buffer): void {
    const refusal = this.#gate.refuse(request, stream);
    if (refusal) {
      refuseUpgrade(stream, refusal);
      return;
    }
    this.#server.handleUpgrade(request, stream, head, (ws) => {
      // This callback runs within the stream, so an error here would end the process.
      try {
        this.#accept(new WebSocketSocket(ws, stream, this.#gate, this.#gate.pageOf(request)));
      } catch (error) {
        warnOfUnforeseen('with a connection that had just come', error);
        ws.terminate();
      }
    });
  }
}

async function dial(address: Address, tls: Tls, { largestMessage, signal }: DialOptions): Promise<Socket> {
  const stream = await dialStream(address, tls, signal);
  if (signal?.aborted) {
    stream.destroy();
    throw signal.reason as Error;
  }
  const { remoteAddress } = stream;
  // A connection that was reset meanwhile no longer knows its remote address, and may never emit 'close'.
  if (stream.destroyed || remoteAddress === undefined) {
    stream.destroy();
    throw new DialFailed(`${addressText(address)}: the connection was closed at once`, false);
  }
  return new Promise((resolve, reject) => {
    // Send the address that answered, not the name that led to it: the other side accepts only names that it knows.
    const host = `${hostInUrl(plainIp(remoteAddress))}:${address.port}`;
    const end = (): void => {
      stopTimer();
      stopAsking();
      signal?.removeEventListener('abort', abort);
    };
    const fail = (reason: Error): void => {
      end();
      stream.destroy();
      reject(reason);
    };
    const abort = (): void => fail(signal?.reason as Error);
    const failed = (text: string, options: ErrorOptions & { accepted?: boolean }): void =>
      fail(new DialFailed(`${addressText(address)}: ${text}`, false, options));
    const stopTimer = afterAwake(systemClock, HANDSHAKE_TIME, () =>
      failed('no answer in time', { accepted: true }),
    );
    signal?.addEventListener('abort', abort, { once: true });
    const stopAsking = askForUpgrade(stream, host, {
      failed: (cause) => failed(cause.message, { cause }),
      done: (head) => {
        end();
        resolve(new WebSocketSocket(openedSocket(stream, head, largestMessage), stream, undefined));
      },
    });
  });
}

/** A part of a WebSocket that its types do not list. `ws` is bundled, so its version is known. */
interface Unlisted {
  setSocket(stream: NetSocket, head: Buffer, options: object): void;
}

/** The dialler's end of an upgrade that is done. `ws` has only a constructor that makes the request as well. */
function openedSocket(stream: NetSocket, head: Buffer, largestMessage: number): WebSocket {
  const Bare = WebSocket as unknown as new (
    address: null,
    protocols: undefined,
    options: object,
  ) => WebSocket & Unlisted;
  const ws = Object.assign(new Bare(null, undefined, PONGS), { _isServer: false });
  // What came after the answer is put back, and must not flow before `ws` listens.
  if (head.length > 0) stream.pause();
  ws.setSocket(stream, head, { ...PARTS, maxPayload: largestMessage, generateMask: NO_MASK });
  if (head.length > 0) stream.resume();
  return ws;
}

/** The acceptor's address, which both ends of a plain loopback connection see in the same way. */
function loopbackBinding(address: string | undefined, port: number | undefined): Binding {
  return { kind: 'loopback', data: Buffer.from(`${hostInUrl(plainIp(address ?? ''))}:${port}`) };
}

/** Characters of the longest message that is written as one string. The head of a longer one has another form. */
const LONGEST_STRING = 65_535;

/** The bytes before a text message, one in each character: RFC 6455, section 5.2. */
function textHead(length: number, isMasked: boolean): string {
  const mask = isMasked ? 0x80 : 0;
  const head =
    length < 126
      ? String.fromCharCode(0x81, mask | length)
      : String.fromCharCode(0x81, mask | 126, length >> 8, length & 0xff);
  // See `NO_MASK`.
  return isMasked ? `${head}\0\0\0\0` : head;
}

/** `ws` itself closes the connection after each error. 'close' follows, with a code that says why. */
function ignore(): void {}

class WebSocketSocket implements Socket {
  readonly #ws: WebSocket;
  readonly #tcp: NetSocket;
  readonly #inbox = new Inbox();
  /** The gate through which an accepted connection came; undefined for a dialled one. */
  readonly #gate: Gate | undefined;
  readonly #page: PageEnd | undefined;
  #trusted = false;
  #closing = false;
  /** A pong was written and has not yet left. */
  #isPonging = false;
  /** The newest ping that came meanwhile. Its answer stands for all of them, as RFC 6455 (5.5.3) allows. */
  #pinged: Buffer | undefined;

  /** @param page what the upgrade said; undefined for a dialled connection */
  constructor(ws: WebSocket, tcp: NetSocket, gate: Gate | undefined, page?: PageEnd) {
    this.#ws = ws;
    this.#tcp = tcp;
    this.#gate = gate;
    this.#page = page;
    tcp.unref();
    hearLastWords(tcp);
    tcp.on('data', this.#limitStranger);
    ws.on('message', (data, isBinary) => {
      if (isBinary) this.#inbox.binary(data as Buffer);
      else this.#inbox.message((data as Buffer).toString('utf8'));
    });
    ws.on('ping', (data) => this.#pong(data));
    ws.on('error', ignore);
    ws.on('close', (code) => this.#inbox.closed(code));
  }

  get origin(): string | undefined {
    return this.#page?.origin;
  }

  get binding(): Binding {
    if (this.#page?.host !== undefined) return { kind: 'host', data: Buffer.from(this.#page.host, 'utf8') };
    if (this.#tcp instanceof TLSSocket) return exporterBinding(this.#tcp);
    const tcp = this.#tcp;
    return this.#gate
      ? loopbackBinding(tcp.localAddress, tcp.localPort)
      : loopbackBinding(tcp.remoteAddress, tcp.remotePort);
  }

  get scope(): Scope {
    return scopeOf(this.#tcp.remoteAddress ?? '');
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  /** Bytes that the kernel has delivered. Those of an incomplete message count as well. */
  get received(): number {
    return this.#tcp.bytesRead;
  }

  send(message: string, before?: readonly Uint8Array[]): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    if (before === undefined) {
      this.#sendText(message);
      return;
    }
    // Cork, so that everything goes out in one write.
    this.#tcp.cork();
    for (const binary of before) this.#ws.send(binary);
    this.#sendText(message);
    this.#tcp.uncork();
  }

  /** Writes a short message of plain ASCII itself, as one string. `ws` would make two writes of it, and a buffer for the first. */
  #sendText(message: string): void {
    const { length } = message;
    if (length <= LONGEST_STRING && Buffer.byteLength(message) === length)
      this.#tcp.write(`${textHead(length, this.#gate === undefined)}${message}`, 'latin1');
    else this.#ws.send(message);
  }

  ping(): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping();
  }

  /** At most one answer waits here, however much the other side sends without reading. */
  #pong(data: Buffer): void {
    if (this.#isPonging) {
      this.#pinged = data;
      return;
    }
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    this.#isPonging = true;
    this.#ws.pong(data, undefined, () => {
      this.#isPonging = false;
      const next = this.#pinged;
      this.#pinged = undefined;
      if (next) this.#pong(next);
    });
  }

  whenDrained(callback: () => void): void {
    // The event 'drain' comes only after a write that was told to wait.
    if (this.#tcp.writable) this.#tcp.write('', (error) => error ?? callback());
  }

  receive(receiver: Receiver | undefined): void {
    this.#inbox.receive(receiver);
  }

  trust(): void {
    this.#trusted = true;
    this.#tcp.off('data', this.#limitStranger);
    this.#gate?.trust(this.#tcp);
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#ws.close(code, reason);
    const cut = setTimeout(() => this.#ws.terminate(), CLOSE_TIME).unref();
    this.#ws.once('close', () => clearTimeout(cut));
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /**
   * `maxPayload` is the limit for authenticated peers. A stranger may send far less, upgrade request included. The last message
   * of a handshake may share its packet with a large first request, so this can be called once after `trust`.
   */
  readonly #limitStranger = (): void => {
    if (!this.#trusted && this.#tcp.bytesRead > 2 * HANDSHAKE_BYTES) this.#tcp.destroy();
  };
}
