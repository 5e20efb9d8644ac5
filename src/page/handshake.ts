import { SUBPROTOCOL, VERSIONS } from '../wire/frames.ts';
import type { AcceptMessage, Limits, WelcomeMessage } from '../wire/frames.ts';
import { toBase64 } from './pass.ts';
import type { Pass } from './pass.ts';

/**
 * The dialler's side of the handshake, with the key of a pass in the place of the secret, by WebCrypto. `docs/protocol.md` has the
 * same names M1 to M5 and T. Little is checked of what the server says before it has proved itself, as nothing is done with it.
 */

/** Bytes as plain numbers, since these are put together most briefly. A number above 255 counts by its lowest byte. */
type Bytes = readonly number[];

const SHA_256 = 'SHA-256';

/** The server did not prove itself, or refused this page. */
export class Refused extends Error {}

/** How the two sides talk until they know each other: one message each in turn. */
export interface Talk {
  send(text: string): void;
  /** The next message of the server. @throws if the connection ends before */
  next(): Promise<string>;
}

export interface HandshakeInput {
  pass: Pass;
  incarnation: string;
  /** How often this page has lost a connection in its present life. */
  generation: number;
  /** The host of the URL, as the proofs cover it. */
  host: string;
  limits: Limits;
  /** Tags of the functions of this page. */
  functions: () => string[];
}

export interface Introduced {
  /** Own id, which follows from the pass. */
  id: string;
  server: Omit<WelcomeMessage, 'type'> & Omit<AcceptMessage, 'type'>;
  told: readonly string[];
}

/** Characters of the function tags in M5, as JSON. If there are more, all of them follow in `functions` frames. */
const TAGS_IN_DESCRIPTION = 2_048;

/** @throws Refused; TypeError for an engine without WebCrypto */
export async function introduce(talk: Talk, input: HandshakeInput): Promise<Introduced> {
  const { pass, incarnation, generation, host, limits } = input;
  const { shown } = pass;
  const id = toBase64((await hash(utf8(`${SUBPROTOCOL} guest\n${shown}\n${incarnation}`))).slice(0, 16));
  const nonce = toBase64(crypto.getRandomValues(new Uint8Array(32)));
  const own = { id, incarnation, nonce, to: '', generation, pass: shown, limits };
  const m1 = JSON.stringify({ type: 'hello', versions: VERSIONS, ...own });
  talk.send(m1);
  const m2 = await talk.next();
  const welcome = read(m2, 'welcome');
  const bound = [...prefixed(utf8('host')), ...prefixed(utf8(host))];
  const transcript = await hash([utf8(SUBPROTOCOL), bound, utf8(m1), utf8(m2)].flatMap(prefixed));
  const [ours, theirs] = await deriveKeys(pass.key);
  const m3 = JSON.stringify({ type: 'proof', proof: toBase64(await hmac(ours, transcript)) });
  talk.send(m3);
  const accept = read(await talk.next(), 'accept');
  if (accept['proof'] !== toBase64(await hmac(theirs, [...transcript, ...utf8(m3)]))) {
    throw new Refused('the server does not know the secret that made this pass');
  }
  const server = { ...accept, ...welcome } as unknown as Introduced['server'];
  const tags = input.functions();
  const told = JSON.stringify(tags).length > TAGS_IN_DESCRIPTION ? [] : tags;
  const about = { name: '', group: server.group, hub: false, pid: 0, host: '' };
  talk.send(JSON.stringify({ type: 'describe', ...about, functions: told }));
  return { id, server, told };
}

function read(text: string, type: string): Record<string, unknown> {
  try {
    const message = JSON.parse(text) as Record<string, unknown>;
    if (message['type'] === type) return message;
  } catch {
    // Handled like a wrong type, below.
  }
  throw new Refused('the server does not speak app-net');
}

/** HKDF as in RFC 5869. @returns the keys of the dialler and of the acceptor */
async function deriveKeys(key: Iterable<number>): Promise<[Bytes, Bytes]> {
  const info = utf8('handshake');
  const derived = await hmac(utf8(SUBPROTOCOL), key);
  const first = await hmac(derived, [...info, 1]);
  return [first, await hmac(derived, [...first, ...info, 2])];
}

async function hmac(key: Bytes, data: Iterable<number>): Promise<number[]> {
  const { subtle } = crypto;
  const how = { name: 'HMAC', hash: SHA_256 };
  const own = await subtle.importKey('raw', Uint8Array.from(key), how, false, ['sign']);
  return [...new Uint8Array(await subtle.sign('HMAC', own, Uint8Array.from(data)))];
}

async function hash(data: Bytes): Promise<number[]> {
  return [...new Uint8Array(await crypto.subtle.digest(SHA_256, Uint8Array.from(data)))];
}

function utf8(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

/** `lp(x)`: four bytes of length, most significant first, then x. */
function prefixed(bytes: Bytes): Bytes {
  const { length } = bytes;
  return [length >> 24, length >> 16, length >> 8, length, ...bytes];
}
