import { VERSIONS } from '../wire/frames.ts';
import type { AcceptMessage, Limits, WelcomeMessage } from '../wire/frames.ts';
import { isFields, isPeerId, isTagList, LONGEST_TAG } from '../wire/shapes.ts';
import { toBase64 } from './pass.ts';
import type { Pass } from './pass.ts';

/**
 * The dialler's side of the handshake, with the key of a pass in the place of the secret, by WebCrypto. `docs/protocol.md` has the
 * same names M1 to M5 and T.
 */

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

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

/** Bytes of function tags that M5 may have. The other tags follow in `functions` frames. */
const TAGS_IN_DESCRIPTION = 8 * 1024;

/** @throws Refused; TypeError for an engine without WebCrypto */
export async function introduce(talk: Talk, input: HandshakeInput): Promise<Introduced> {
  const { pass, incarnation, generation, host, limits } = input;
  const { shown } = pass;
  const id = toBase64((await sha256(utf8(`app-net.v1 guest\n${shown}\n${incarnation}`))).subarray(0, 16));
  const nonce = toBase64(crypto.getRandomValues(new Uint8Array(32)));
  const [diallerKey, acceptorKey] = await keysOf(pass.key);
  const own = { type: 'hello', versions: VERSIONS, id, incarnation, nonce, to: '', generation };
  const m1 = JSON.stringify({ ...own, pass: shown, limits });
  talk.send(m1);
  const m2 = await talk.next();
  const welcome = read(m2, 'welcome');
  if (!isWelcome(welcome) || welcome.nonce === nonce) throw new Refused('the server does not speak app-net');
  const bound = joined(lengthPrefixed(utf8('host')), lengthPrefixed(utf8(host)));
  const parts = [utf8('app-net.v1'), bound, utf8(m1), utf8(m2)];
  const transcript = await sha256(joined(...parts.map(lengthPrefixed)));
  const m3 = JSON.stringify({ type: 'proof', proof: await proofOf(diallerKey, transcript) });
  talk.send(m3);
  const accept = read(await talk.next(), 'accept');
  const expected = await proofOf(acceptorKey, joined(transcript, utf8(m3)));
  if (accept['proof'] !== expected || !isTagList(accept['functions'], LONGEST_TAG)) {
    throw new Refused('the server did not prove that it knows the secret that made this pass');
  }
  const server = { ...(accept as unknown as AcceptMessage), ...welcome };
  const told = fitting(input.functions());
  const about = { name: '', group: server.group, hub: false, pid: 0, host: '' };
  talk.send(JSON.stringify({ type: 'describe', ...about, functions: told }));
  return { id, server, told };
}

function read(text: string, type: string): Record<string, unknown> {
  try {
    const message: unknown = JSON.parse(text);
    if (isFields(message) && message['type'] === type) return message;
  } catch {
    // Handled like a wrong type, below.
  }
  throw new Refused(`the server answered with something else than ${type}`);
}

function isWelcome(message: object): message is WelcomeMessage {
  const { version, versions, id, incarnation, nonce, limits } = message as Record<string, unknown>;
  const isRight = VERSIONS.includes(version as number) && Array.isArray(versions) && isFields(limits);
  return isRight && isPeerId(id) && isPeerId(incarnation) && isPeerId(nonce);
}

/** As many of the tags as fit into a handshake. */
function fitting(tags: string[]): string[] {
  let left = TAGS_IN_DESCRIPTION;
  const end = tags.findIndex((tag) => (left -= utf8(JSON.stringify(tag)).length + 1) < 0);
  return end < 0 ? tags : tags.slice(0, end);
}

async function keysOf(key: Uint8Array<ArrayBuffer>): Promise<[dialler: Key, acceptor: Key]> {
  const { subtle } = crypto;
  const derived = await subtle.importKey('raw', key, 'HKDF', false, ['deriveBits']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt: utf8('app-net.v1'), info: utf8('handshake') };
  const both = await subtle.deriveBits(how, derived, 512);
  const keyAt = (from: number): Promise<Key> =>
    subtle.importKey('raw', both.slice(from, from + 32), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return Promise.all([keyAt(0), keyAt(32)]);
}

async function proofOf(key: Key, data: Uint8Array<ArrayBuffer>): Promise<string> {
  return toBase64(new Uint8Array(await crypto.subtle.sign('HMAC', key, data)));
}

async function sha256(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data));
}

/** `lp(x)`: four bytes of length, most significant first, then x. */
function lengthPrefixed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return joined(length, bytes);
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
