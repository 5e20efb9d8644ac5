import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import type { Description, HelloMessage, Limits, WelcomeMessage } from './frames.ts';
import { VERSIONS } from './frames.ts';
import { LONGEST_TAG } from './guards.ts';
import {
  HandshakeFailed,
  HandshakeNeedless,
  IdTaken,
  OwnHello,
  readAnswer,
  readDescribe,
  readHello,
  readProof,
  readWelcome,
  WrongPeer,
  write,
} from './handshake-messages.ts';
import type { HandshakeKeys } from './secret.ts';

/**
 * The mutual proof that both sides know the secret, and that nobody sits between them. Pure: bytes in, bytes
 * out. `docs/protocol.md` has the messages; the names M1 to M5 and T are the same there.
 */

/**
 * Milliseconds that a handshake may take, from the opened socket to the last message. They are counted while the process
 * runs: what came while it was busy or stopped is read before anybody is late.
 */
export const HANDSHAKE_TIME = 5_000;

/** Bytes that one side may send before it has proved anything. */
export const HANDSHAKE_BYTES = 16 * 1024;

/** Bytes of function tags that fit into M4 and M5; the rest follows in `functions` frames. */
const TAGS_IN_DESCRIPTION = 8 * 1024;

/** Which connection the proofs are bound to. Chosen from the socket; never negotiated. */
export type Binding = { kind: string; data: Uint8Array };

/** Who this side is, and what it says once the other has proved itself. */
export interface Self {
  id: string;
  incarnation: string;
  limits: Limits;
  describe(): Description;
}

/** What a side knows of the other at the end. */
export interface Party extends Description {
  id: string;
  incarnation: string;
  /** The newest version the other side speaks: it may send what we do not know. */
  newestVersion: number;
  limits: Limits;
}

/** What to do with a message: answer, and perhaps be done. */
export interface Step {
  send?: string;
  /** The dialler has proved itself just now; `send` tells it who this side is. */
  proved?: Pick<Party, 'id' | 'incarnation'>;
  done?: Result;
}

export interface Result {
  party: Party;
  /** The tags this side told of; the rest, and what changed since, follows in a `functions` frame. */
  told: readonly string[];
  /** What M1 said. */
  generation: number;
}

export interface HandshakeOptions {
  self: Self;
  keys: HandshakeKeys;
  binding: Binding;
  /** 32 fresh random bytes. */
  nonce: Uint8Array;
}

export interface DiallerOptions extends HandshakeOptions {
  /** Id of the peer that is meant; empty when only its address is known. */
  to: string;
  /** Asked of whoever answers, before anything is proved: whether it is connected already. */
  isConnected?: (id: string, incarnation: string) => boolean;
}

/** `lp(x)`: four bytes of length, most significant first, then x. */
function lengthPrefixed(data: Uint8Array | string): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** `T`: what both proofs cover. Over the messages as they were on the wire, to the byte. */
export function transcript(binding: Binding, m1: string, m2: string): Buffer {
  const bound = Buffer.concat([lengthPrefixed(binding.kind), lengthPrefixed(binding.data)]);
  return createHash('sha256')
    .update(lengthPrefixed('app-net.v1'))
    .update(lengthPrefixed(bound))
    .update(lengthPrefixed(m1))
    .update(lengthPrefixed(m2))
    .digest();
}

export function diallerProof(keys: HandshakeKeys, t: Buffer): Buffer {
  return createHmac('sha256', keys.dialler).update(t).digest();
}

/** Also covers M3, so that it answers this dialler and no other. */
export function acceptorProof(keys: HandshakeKeys, t: Buffer, m3: string): Buffer {
  return createHmac('sha256', keys.acceptor).update(t).update(m3, 'utf8').digest();
}

/** Of the acceptor that turns a dialler away since another process has its id. No text of an M3 ends like this. */
export function takenProof(keys: HandshakeKeys, t: Buffer, m3: string): Buffer {
  return acceptorProof(keys, t, `${m3}taken`);
}

export interface DiallerOptions extends HandshakeOptions {
  /** Id of the peer that is meant; empty when only its address is known. */
  to: string;
  /** How often this side has lost a connection to that peer, or given one up. Default: 0. */
  generation?: number;
}

/** The side that opened the connection. Sends `hello()`, then answers what it receives. */
export class DiallerHandshake {
  readonly #options: DiallerOptions;
  readonly #hello: string;
  #transcript: Buffer | undefined;
  #proof = '';
  #welcome: WelcomeMessage | undefined;

  constructor(options: DiallerOptions) {
    this.#options = options;
    const { self, nonce, to, generation = 0 } = options;
    this.#hello = write({
      type: 'hello',
      versions: [...VERSIONS],
      id: self.id,
      incarnation: self.incarnation,
      nonce: Buffer.from(nonce).toString('base64url'),
      to,
      ...(generation > 0 && { generation }),
      limits: self.limits,
    });
  }

  hello(): string {
    return this.#hello;
  }

  /** @throws HandshakeFailed, among them HandshakeNeedless */
  receive(text: string): Step {
    return this.#welcome ? this.#receiveAccept(text, this.#welcome) : this.#receiveWelcome(text);
  }

  #receiveWelcome(text: string): Step {
    const { self, keys, binding, nonce, to, isConnected } = this.#options;
    const welcome = readWelcome(text);
    refuseSelf(welcome, self, nonce);
    if (isConnected?.(welcome.id, welcome.incarnation)) throw new HandshakeNeedless(welcome.id);
    if (to && welcome.id !== to) throw new WrongPeer(to, welcome.id);
    if (!VERSIONS.includes(welcome.version)) throw new HandshakeFailed('no common version');
    this.#welcome = welcome;
    this.#transcript = transcript(binding, this.#hello, text);
    this.#proof = write({
      type: 'proof',
      proof: diallerProof(keys, this.#transcript).toString('base64url'),
    });
    return { send: this.#proof };
  }

  #receiveAccept(text: string, welcome: WelcomeMessage): Step {
    const { self, keys, generation = 0 } = this.#options;
    const accept = readAnswer(text);
    if (accept.type === 'taken') {
      checkProof(accept.proof, takenProof(keys, this.#transcript!, this.#proof));
      throw new IdTaken('another process has the id of this one');
    }
    checkProof(accept.proof, acceptorProof(keys, this.#transcript!, this.#proof));
    const own = brief(self.describe());
    const party = { ...description(accept), ...partyOf(welcome) };
    return { send: write({ type: 'describe', ...own }), done: { party, told: own.functions, generation } };
  }
}

/** The side that was dialled. Speaks only when spoken to. */
export class AcceptorHandshake {
  readonly #options: HandshakeOptions;
  #hello: HelloMessage | undefined;
  #transcript: Buffer | undefined;
  #proof = '';
  /** What M4 told; undefined until the dialler has proved itself. */
  #told: readonly string[] | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** @throws HandshakeFailed, among them OwnHello */
  receive(text: string): Step {
    if (!this.#hello) return this.#receiveHello(text);
    if (!this.#told) return this.#receiveProof(text);
    const party = { ...description(readDescribe(text)), ...partyOf(this.#hello) };
    return { done: { party, told: this.#told, generation: this.#hello.generation ?? 0 } };
  }

  /** In place of M4, to a dialler that has proved itself and whose id is taken. */
  taken(): string {
    const proof = takenProof(this.#options.keys, this.#transcript!, this.#proof);
    return write({ type: 'taken', proof: proof.toString('base64url') });
  }

  #receiveHello(text: string): Step {
    const { self, binding, nonce } = this.#options;
    const hello = readHello(text);
    refuseSelf(hello, self, nonce);
    const version = VERSIONS.find((each) => hello.versions.includes(each));
    if (version === undefined) throw new HandshakeFailed('no common version');
    const welcome = write({
      type: 'welcome',
      version,
      versions: [...VERSIONS],
      id: self.id,
      incarnation: self.incarnation,
      nonce: Buffer.from(nonce).toString('base64url'),
      limits: self.limits,
    });
    this.#hello = hello;
    this.#transcript = transcript(binding, text, welcome);
    return { send: welcome };
  }

  #receiveProof(text: string): Step {
    const { self, keys } = this.#options;
    // Only now: by the answer to its hello the dialler could tell that it has come to the wrong peer.
    const { to } = this.#hello!;
    if (to && to !== self.id) throw new WrongPeer(to, self.id);
    checkProof(readProof(text).proof, diallerProof(keys, this.#transcript!));
    this.#proof = text;
    const proof = acceptorProof(keys, this.#transcript!, text).toString('base64url');
    const own = brief(self.describe());
    this.#told = own.functions;
    const { id, incarnation } = this.#hello!;
    return { send: write({ type: 'accept', proof, ...own }), proved: { id, incarnation } };
  }
}

/** Cut to the room that a handshake has. */
function brief(self: Description): Description {
  return { ...self, functions: self.functions.slice(0, fitting(self.functions)) };
}

/** Whether there may be more functions than these, which a handshake told of. */
export function mayBeCut(functions: readonly string[]): boolean {
  return fitting([...functions, 'x'.repeat(LONGEST_TAG)]) <= functions.length;
}

function fitting(functions: readonly string[]): number {
  let bytes = 0;
  const end = functions.findIndex((tag) => {
    bytes += Buffer.byteLength(JSON.stringify(tag)) + 1;
    return bytes > TAGS_IN_DESCRIPTION;
  });
  return end < 0 ? functions.length : end;
}

function partyOf({ id, incarnation, versions, limits }: HelloMessage | WelcomeMessage) {
  const { message, calls, streams, running, subscriptions = 0 } = limits;
  const optional = { ...(streams && { streams }), ...(running && { running }) };
  const told = { message, calls, subscriptions, ...optional };
  return { id, incarnation, newestVersion: Math.max(0, ...versions), limits: told };
}

function description({ name, group, hub, pid, host, functions }: Description): Description {
  return { name, group, hub, pid, host, functions };
}

/** A message that carries our own id or nonce is our own, sent back to us. */
function refuseSelf(message: HelloMessage | WelcomeMessage, self: Self, nonce: Uint8Array): void {
  if (message.id === self.id || message.nonce === Buffer.from(nonce).toString('base64url')) {
    throw new OwnHello(message.nonce);
  }
}

function checkProof(given: string, expected: Buffer): void {
  // As text, to the last character: several texts can stand for the same bytes.
  const [proof, wanted] = [Buffer.from(given, 'utf8'), Buffer.from(expected.toString('base64url'), 'utf8')];
  // Lengths are compared first: timingSafeEqual throws on unequal ones.
  if (proof.length !== wanted.length || !timingSafeEqual(proof, wanted)) {
    throw new HandshakeFailed('the proof is wrong: the two sides have different secrets');
  }
}
