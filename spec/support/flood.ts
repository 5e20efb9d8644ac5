import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** Traffic of a client with no honest purpose. It is called when the connection is open, and clears its own timers. */
export type Mischief = (socket: Socket) => void;

const upgrade = (port: number): string =>
  [
    'GET / HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: app-net.v1',
    '\r\n',
  ].join('\r\n');

/** A frame of a WebSocket with a mask of zeros. @param length what its header says; default: the truth */
export function wsFrame(opcode: number, fin: boolean, text: string, length = text.length): Buffer {
  const head = Buffer.from([(fin ? 0x80 : 0) | opcode, 0x80 | 126, length >> 8, length & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, Buffer.from(text)]);
}

export const mischief = (port: number) => ({
  silent: (() => {}) as Mischief,
  /** A byte of the upgrade every 50 ms. */
  slow: ((socket) => {
    const text = upgrade(port);
    let sent = 0;
    const timer = setInterval(() => socket.write(text[sent++ % text.length]!), 50);
    socket.once('close', () => clearInterval(timer));
  }) as Mischief,
  upgraded: ((socket) => socket.write(upgrade(port))) as Mischief,
  halfHello: ((socket) => {
    socket.write(upgrade(port));
    socket.write(wsFrame(1, true, '{"type":"hello","versions":[1],', 300));
  }) as Mischief,
  /** A message that never ends, in pieces of nothing. */
  fragments: ((socket) => {
    socket.write(upgrade(port));
    socket.write(wsFrame(1, false, '{'));
    const pieces = Buffer.concat(Array.from({ length: 50 }, () => wsFrame(0, false, '')));
    const timer = setInterval(() => socket.write(pieces), 200);
    socket.once('close', () => clearInterval(timer));
  }) as Mischief,
});

/** Before another connection is opened in the place of one that was closed, in ms. */
const PAUSE = 1_000;

/** Between the first ones, in ms: more at once than the listener's backlog takes would hang in the kernel for seconds. */
const STEP = 2;

/** Keeps so many connections open at a port: when one is closed, another one is opened. */
export class Flood {
  readonly #port: number;
  readonly #kinds: readonly Mischief[];
  readonly #open = new Set<Socket>();
  #over = false;
  #ebbing = false;
  /** Connections that were opened, and that were closed by the other side. */
  opened = 0;
  closed = 0;
  /** How long each of them was open, in ms. */
  readonly times: number[] = [];

  /** @param kinds what they do, in turn */
  constructor(port: number, count: number, kinds: readonly Mischief[]) {
    this.#port = port;
    this.#kinds = kinds;
    for (let index = 0; index < count; index += 1) {
      setTimeout(() => this.#over || this.#another(index), index * STEP);
    }
  }

  #another(index: number): void {
    const socket = connect({ port: this.#port, host: '127.0.0.1' });
    let began: number | undefined;
    this.#open.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.once('connect', () => {
      began = performance.now();
      this.opened += 1;
      this.#kinds[index % this.#kinds.length]!(socket);
    });
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#over) return;
      if (began !== undefined) {
        this.closed += 1;
        this.times.push(performance.now() - began);
      }
      if (!this.#ebbing) setTimeout(() => this.#over || this.#another(index), PAUSE);
    });
  }

  /** The longest that one was open, in ms. */
  get longest(): number {
    return Math.max(0, ...this.times);
  }

  /** The longest of all but one in a hundred, in ms. */
  get usual(): number {
    const inOrder = this.times.toSorted((a, b) => a - b);
    return inOrder[Math.floor(0.99 * inOrder.length)] ?? 0;
  }

  /** Connections that are open now, or about to be. */
  get open(): number {
    return this.#open.size;
  }

  /** Opens no more, and leaves it to the other side to close those that are. */
  ebb(): void {
    this.#ebbing = true;
  }

  stop(): void {
    this.#over = true;
    for (const socket of this.#open) socket.destroy();
  }
}
