import type { Presence } from '../presence-frames.ts';
import type { Description, HelloMessage, Limits, WelcomeMessage } from '../frames.ts';
import { VERSIONS } from '../frames.ts';
import { describedToGuest, partyOfGuest } from './guest.ts';
import type { AdmitGuest, Guest } from './guest.ts';
import type { Rights } from './pass.ts';
import { acceptorProof, checkProof, diallerProof, takenProof, transcript } from './proof.ts';
import type { Binding } from './proof.ts';
import { LONGEST_TAG } from '../shapes.ts';
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
 * The mutual proof that both sides know the secret, and that nobody sits between them. It has no side effects: bytes in, bytes
 * out. `docs/protocol.md` describes the messages, with the same names M1 to M5 and T.
 */

/**
 * Milliseconds that a handshake may take, from the opened socket to the last message. Only time in which this process runs
 * counts: messages that came while it was busy or suspended are read before the other side counts as late.
 */
export const HANDSHAKE_TIME = 5_000;

/** Bytes that one side may send before it has proved anything. */
export const HANDSHAKE_BYTES = 16 * 1024;

/** Bytes of function tags that M4 and M5 may have. The other tags follow in `functions` frames. */
const TAGS_IN_DESCRIPTION = 8 * 1024;

/** The identity of this side, and the description it sends once the other side has proved itself. */
export interface Self {
  id: string;
  incarnation: string;
  limits: Limits;
  describe(): Description;
}

/** The facts that a side knows about the other after the handshake. */
export interface Party extends Omit<Description, keyof Presence>, Presence {
  id: string;
  incarnation: string;
  /** The newest version that the other side speaks. If it is newer than ours, the other side may send unknown frames. */
  newestVersion: number;
  limits: Limits;
}

/** The reaction to a message: send an answer, or finish, or both. */
export interface Step {
  send?: string;
  /** The dialler has just proved itself, and `send` tells it who this side is. */
  proved?: Pick<Party, 'id' | 'incarnation'> & { isGuest: boolean };
  done?: Result;
}

export interface Result {
  party: Party;
  /** The tags that this side has sent. All others, and later changes, follow in `functions` frames. */
  told: readonly string[];
  /** The version of its own presence that this side has sent. */
  toldVersion: number;
  /** The generation in M1. */
  generation: number;
  /** The rights of the other side, if it has a pass. */
  rights?: Rights | undefined;
}

export interface HandshakeOptions {
  self: Self;
  keys: HandshakeKeys;
  binding: Binding;
  /** 32 fresh random bytes. */
  nonce: Uint8Array;
}

export interface DiallerOptions extends HandshakeOptions {
  /** Id of the peer that should answer; empty if only its address is known. */
  to: string;
  /** Whether the peer that answers is already connected. Called before anything is proved. */
  isConnected?: (id: string, incarnation: string) => boolean;
  /** How often this side has lost or given up a connection to that peer. Default: 0. */
  generation?: number;
  /** The public part of the pass whose keys `keys` are; undefined for a peer that has the secret. */
  pass?: string | undefined;
}

export interface AcceptorOptions extends HandshakeOptions {
  /** Decides about a dialler with a pass. Absent: none is let in. */
  guests?: AdmitGuest | undefined;
  /** Only diallers with a pass are let in. */
  onlyGuests?: boolean | undefined;
}

/** The side that opened the connection. It sends `hello()`, then answers each message. */
export class DiallerHandshake {
  readonly #options: DiallerOptions;
  /** As base64url. */
  readonly #nonce: string;
  readonly #hello: string;
  #transcript: Buffer | undefined;
  #proof = '';
  #welcome: WelcomeMessage | undefined;

  constructor(options: DiallerOptions) {
    this.#options = options;
    const { self, nonce, to, generation = 0, pass } = options;
    this.#nonce = Buffer.from(nonce).toString('base64url');
    this.#hello = write({
      type: 'hello',
      versions: [...VERSIONS],
      id: self.id,
      incarnation: self.incarnation,
      nonce: this.#nonce,
      to,
      ...(generation > 0 && { generation }),
      ...(pass !== undefined && { pass }),
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
    const { self, keys, binding, to, isConnected } = this.#options;
    const welcome = readWelcome(text);
    refuseSelf(welcome, self, this.#nonce);
    if (isConnected?.(welcome.id, welcome.incarnation)) throw new HandshakeNeedless(welcome.id);
    if (to && welcome.id !== to) throw new WrongPeer(to, welcome.id);
    if (!VERSIONS.includes(welcome.version))
      throw new HandshakeFailed('no common version of the protocol: update the older side');
    this.#welcome = welcome;
    this.#transcript = transcript(binding, this.#hello, text);
    this.#proof = write({ type: 'proof', proof: diallerProof(keys, this.#transcript) });
    return { send: this.#proof };
  }

  #receiveAccept(text: string, welcome: WelcomeMessage): Step {
    const { self, keys, generation = 0 } = this.#options;
    const accept = readAnswer(text);
    if (accept.type === 'taken') {
      checkProof(accept.proof, takenProof(keys, this.#transcript!, this.#proof));
      throw new IdTaken('another process has the same id as this peer');
    }
    checkProof(accept.proof, acceptorProof(keys, this.#transcript!, this.#proof));
    const own = brief(self.describe());
    const party = partyOf(accept, welcome);
    return {
      send: write({ type: 'describe', ...own }),
      done: { party, told: own.functions, toldVersion: own.version ?? 1, generation },
    };
  }
}

/** The side that was dialled. It only answers messages. */
export class AcceptorHandshake {
  readonly #options: AcceptorOptions;
  #hello: HelloMessage | undefined;
  /** The dialler, if it has a pass. */
  #guest: Guest | undefined;
  #transcript: Buffer | undefined;
  #proof = '';
  /** The tags sent in M4; undefined until the dialler has proved itself. */
  #told: readonly string[] | undefined;
  #toldVersion = 1;

  constructor(options: AcceptorOptions) {
    this.#options = options;
  }

  /** @throws HandshakeFailed, among them OwnHello */
  receive(text: string): Step {
    if (!this.#hello) return this.#receiveHello(text);
    if (!this.#told) return this.#receiveProof(text);
    const told = readDescribe(text);
    const rights = this.#guest?.rights;
    const described = rights ? partyOfGuest(told, rights, this.#options.self.describe().group) : told;
    const party = partyOf(described, this.#hello);
    return {
      done: {
        party,
        told: this.#told,
        toldVersion: this.#toldVersion,
        generation: this.#hello.generation ?? 0,
        ...(rights && { rights }),
      },
    };
  }

  /** Sent instead of M4 to a dialler that has proved itself, if its id is taken. */
  taken(): string {
    return write({ type: 'taken', proof: takenProof(this.#keys, this.#transcript!, this.#proof) });
  }

  get #keys(): HandshakeKeys {
    return this.#guest?.keys ?? this.#options.keys;
  }

  #receiveHello(text: string): Step {
    const { self, binding, guests, onlyGuests } = this.#options;
    const nonce = Buffer.from(this.#options.nonce).toString('base64url');
    const hello = readHello(text);
    if (hello.pass !== undefined) {
      if (!guests) throw new HandshakeFailed('this peer takes no passes');
      this.#guest = guests(hello.pass, hello);
    } else if (onlyGuests) {
      throw new HandshakeFailed('a pass is needed here, and the hello has none');
    }
    refuseSelf(hello, self, nonce);
    const version = VERSIONS.find((each) => hello.versions.includes(each));
    if (version === undefined)
      throw new HandshakeFailed('no common version of the protocol: update the older side');
    const welcome = write({
      type: 'welcome',
      version,
      versions: [...VERSIONS],
      id: self.id,
      incarnation: self.incarnation,
      nonce,
      limits: self.limits,
    });
    this.#hello = hello;
    this.#transcript = transcript(binding, text, welcome);
    return { send: welcome };
  }

  #receiveProof(text: string): Step {
    const { self } = this.#options;
    // Only now, and not at M1: our answer to the hello lets the dialler see that it has reached the wrong peer.
    const { to } = this.#hello!;
    if (to && to !== self.id) throw new WrongPeer(to, self.id);
    checkProof(readProof(text).proof, diallerProof(this.#keys, this.#transcript!));
    this.#proof = text;
    const proof = acceptorProof(this.#keys, this.#transcript!, text);
    const described = self.describe();
    const own = brief(this.#guest ? describedToGuest(described, this.#guest.rights) : described);
    this.#told = own.functions;
    this.#toldVersion = own.version ?? 1;
    const { id, incarnation } = this.#hello!;
    return {
      send: write({ type: 'accept', proof, ...own }),
      proved: { id, incarnation, isGuest: this.#guest !== undefined },
    };
  }
}

/** The description, with only as many functions as fit into a handshake. */
function brief(self: Description): Description {
  const most = takes(self.functions, TAGS_IN_DESCRIPTION);
  return most === self.functions.length ? self : { ...self, functions: self.functions.slice(0, most) };
}

/** Whether the peer may have more functions than these, which its handshake listed. */
export function mayBeCut(functions: readonly string[]): boolean {
  return takes(functions, TAGS_IN_DESCRIPTION - LONGEST_TAG - 3) < functions.length;
}

/** Bytes that a character of a tag has at most, as JSON writes it. */
const MOST_BYTES = 6;

/** How many of the functions fit into so many bytes. */
function takes(functions: readonly string[], room: number): number {
  let most = 0;
  for (const tag of functions) most += MOST_BYTES * tag.length + 3;
  // Mostly there is ample room, and nothing has to be counted exactly.
  if (most <= room) return functions.length;
  let bytes = 0;
  const end = functions.findIndex((tag) => {
    bytes += bytesOf(tag);
    return bytes > room;
  });
  return end < 0 ? functions.length : end;
}

/** The tag in the list of a description, with its comma. */
function bytesOf(tag: string): number {
  return Buffer.byteLength(JSON.stringify(tag)) + 1;
}

/** Every field by its name, so that nothing else that the other side has sent gets in. */
function partyOf(
  told: Description,
  { id, incarnation, versions, limits }: HelloMessage | WelcomeMessage,
): Party {
  return {
    name: told.name,
    group: told.group,
    hub: told.hub,
    pid: told.pid,
    host: told.host,
    functions: told.functions,
    started: told.started ?? 0,
    version: told.version ?? 1,
    addresses: told.addresses ?? [],
    digest: told.digest ?? '',
    id,
    incarnation,
    newestVersion: Math.max(0, ...versions),
    limits: limitsOf(limits),
  };
}

function limitsOf({ message, calls, streams, running, subscriptions = 0, load }: Limits): Limits {
  const told: Limits = { message, calls, subscriptions };
  if (streams) told.streams = streams;
  if (running) told.running = running;
  if (load) told.load = load;
  return told;
}

/** A message with our own id or nonce is our own, sent back to us. */
function refuseSelf(message: HelloMessage | WelcomeMessage, self: Self, nonce: string): void {
  if (message.id === self.id || message.nonce === nonce) {
    throw new OwnHello(message.nonce);
  }
}
