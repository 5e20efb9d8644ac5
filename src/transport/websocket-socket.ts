import type { Socket as NetSocket } from 'node:net';
import { TLSSocket } from 'node:tls';

import { WebSocket } from 'ws';

import { HANDSHAKE_BYTES } from '../wire/handshake/handshake.ts';
import type { Binding } from '../wire/handshake/proof.ts';
import { hostInUrl, plainIp } from './address.ts';
import type { Gate, PageEnd } from './gate.ts';
import { Inbox } from './inbox.ts';
import { hearLastWords } from './last-words.ts';
import { scopeOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { exporterBinding } from './tls.ts';
import type { Receiver, Socket } from './transport.ts';

/** One open WebSocket as a `Socket`. `ws` reads all messages, and writes binary and long ones. */

/** How long an orderly close may take before the connection is cut, in ms. */
const CLOSE_TIME = 1_000;

/**
 * Limits for one message, on both ends. Compression is off, whatever the other side offers: a few bytes that expand to many are a
 * weapon, and a secret next to somebody else's text can be guessed from how well both compress. Peers send a message in one
 * piece, but the network may deliver it in many: a message of the largest default size may arrive in pieces of 256 bytes each.
 */
export const PARTS = { perMessageDeflate: false, maxFragments: 1_024, maxBufferedChunks: 65_536 };

/**
 * `WebSocketSocket` answers pings itself. `ws` cuts a connection when more than 60 of its own answers wait to be written, and a peer that
 * was busy for two minutes finds more than 60 pings of a peer that waited patiently.
 */
export const PONGS = { autoPong: false };

/**
 * Masks protect proxies from data that a web page makes a browser send. There is no page and no proxy here. A mask of zeros
 * changes nothing, and saves both sides a pass over every byte.
 */
const NO_MASK = (): void => {};

/** Nothing came with the upgrade. */
export const NO_HEAD = Buffer.alloc(0);

/** A part of a WebSocket that its types do not list. `ws` is bundled, so its version is known. */
interface Unlisted {
  setSocket(stream: NetSocket, head: Buffer, options: object): void;
}

/**
 * One end of an upgrade that is done. `ws` has only a constructor that makes the request as well.
 * @param head what came with the upgrade, mostly nothing
 */
export function openedSocket(
  stream: NetSocket,
  head: Buffer,
  largestMessage: number,
  isServer: boolean,
): WebSocket {
  const Bare = WebSocket as unknown as new (
    address: null,
    protocols: undefined,
    options: object,
  ) => WebSocket & Unlisted;
  const ws = Object.assign(new Bare(null, undefined, PONGS), { _isServer: isServer });
  // What came after the answer is put back, and must not flow before `ws` listens.
  if (head.length > 0) stream.pause();
  const mask = isServer ? undefined : NO_MASK;
  ws.setSocket(stream, head, { ...PARTS, maxPayload: largestMessage, generateMask: mask });
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

export class WebSocketSocket implements Socket {
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
