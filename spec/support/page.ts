import { randomBytes } from 'node:crypto';

import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';

import { DiallerHandshake } from '../../src/wire/handshake/handshake.ts';
import type { Party, Self } from '../../src/wire/handshake/handshake.ts';
import { splitPass } from '../../src/wire/handshake/pass.ts';
import { guestId, handshakeKeysOf } from '../../src/wire/handshake/secret.ts';

/** A web page as far as the wire tells: a WebSocket with an `Origin`, a pass, and nothing else. */

type Told = {
  type: string;
  id?: number;
  value?: unknown;
  failure?: { code: string; message: string };
} & Record<string, unknown>;

export interface PageChoices {
  /** Default: none. */
  origin?: string;
  /** To which the proofs are bound, if it is another than that of the URL. */
  host?: string;
  functions?: string[];
  /** Default: that of the pass. */
  id?: string;
  more?: ClientOptions;
}

export class Page {
  readonly socket: WebSocket;
  readonly frames: Told[] = [];
  /** The code with which the connection ended. */
  readonly closed: Promise<number>;
  /** What the other side said of itself, once the handshake is done. */
  party: Party | undefined;
  #newest = 0;
  readonly #waiting = new Map<number, (frame: Told) => void>();

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.on('close', resolve));
  }

  heard(text: string): void {
    for (const line of text.split('\n')) {
      const frame = JSON.parse(line) as Told;
      this.frames.push(frame);
      const answers = frame.type === 'result' || frame.type === 'error' || frame.type === 'subscribed';
      if (answers) this.#waiting.get(frame.id!)?.(frame);
    }
  }

  send(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** Sends a frame with an id, and resolves with its answer. */
  ask(frame: object): Promise<Told> {
    const id = (this.#newest += 1);
    const answer = new Promise<Told>((resolve) => this.#waiting.set(id, resolve));
    this.send({ ...frame, id });
    return answer;
  }

  call(tag: string, ...args: unknown[]): Promise<Told> {
    return this.ask({ type: 'request', tag, args, kwargs: {} });
  }
}

/** Resolves once the handshake is done. @throws Error with the close code, or with what the upgrade was answered */
export async function openPage(url: string, pass: string, choices: PageChoices = {}): Promise<Page> {
  const { origin, host = new URL(url).host, functions = [], more } = choices;
  const { shown, key } = splitPass(pass)!;
  const incarnation = randomBytes(12).toString('base64url');
  const self: Self = {
    id: choices.id ?? guestId(shown, incarnation),
    incarnation,
    limits: { message: 1_000_000, calls: 100, subscriptions: 10 },
    describe: () => ({ name: 'I am the root', group: 'elsewhere', hub: true, pid: 1, host: 'h', functions }),
  };
  const handshake = new DiallerHandshake({
    self,
    keys: handshakeKeysOf(Buffer.from(key, 'base64url')),
    binding: { kind: 'host', data: Buffer.from(host) },
    nonce: randomBytes(32),
    to: '',
    pass: shown,
  });
  const socket = new WebSocket(url, 'app-net.v1', { ...(origin !== undefined && { origin }), ...more });
  const page = new Page(socket);
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
    socket.on('open', () => socket.send(handshake.hello()));
    socket.on('message', (data: Buffer) => {
      const text = data.toString('utf8');
      if (page.party) {
        page.heard(text);
        return;
      }
      const { send, done } = handshake.receive(text);
      if (send !== undefined) socket.send(send);
      if (!done) return;
      page.party = done.party;
      resolve();
    });
  });
  return page;
}
