import { createHash, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/**
 * The opening of a link: one message from each side, in boxes. Both sides take part in a fresh key exchange, so what a broker
 * recorded stays unreadable when the secret gets out.
 */

const VERSION = 1;
const NONCE = 16;
const PUBLIC_KEY = 32;

/** The life of a peer. */
export interface Life {
  readonly id: string;
  readonly incarnation: string;
}

/** The first message, which the dialling side sends. */
export interface Call {
  /** Names the link. */
  nonce: Buffer;
  publicKey: Buffer;
  /** Who dials. Only used to end its links when it dies: the handshake proves who it is. */
  from: Life;
}

export function writeCall({ nonce, publicKey, from }: Call): Buffer {
  const text = Buffer.from(`${from.id}\n${from.incarnation}`, 'utf8');
  return Buffer.concat([Buffer.of(VERSION), nonce, publicKey, text]);
}

export function readCall(content: Buffer): Call | undefined {
  const [nonce, publicKey, rest] = parts(content);
  const [id, incarnation, ...more] = rest?.toString('utf8').split('\n') ?? [];
  if (!nonce || !publicKey || !id || !incarnation || more.length > 0) return undefined;
  return { nonce, publicKey, from: { id, incarnation } };
}

/** The second message, which the side that was dialled sends. */
export interface Reply {
  nonce: Buffer;
  publicKey: Buffer;
}

/** Takes the place of the second message at a peer that lets nobody in. */
export const REFUSAL = Buffer.of(VERSION);

export function isRefusal(content: Buffer): boolean {
  return content.equals(REFUSAL);
}

export function writeReply({ nonce, publicKey }: Reply): Buffer {
  return Buffer.concat([Buffer.of(VERSION), nonce, publicKey]);
}

export function readReply(content: Buffer): Reply | undefined {
  const [nonce, publicKey] = parts(content);
  return nonce && publicKey ? { nonce, publicKey } : undefined;
}

function parts(content: Buffer): Buffer[] {
  if (content[0] !== VERSION || content.length < 1 + NONCE + PUBLIC_KEY) return [];
  const key = 1 + NONCE;
  return [
    content.subarray(1, key),
    content.subarray(key, key + PUBLIC_KEY),
    content.subarray(key + PUBLIC_KEY),
  ];
}

/** A key pair that one side makes for one link. */
export interface Ephemeral {
  privateKey: KeyObject;
  publicKey: Buffer;
}

/** A JWK has the bare key. OpenSSL 3 takes ten to eighty times as long to write and read it in the form SPKI. */
export function makeEphemeral(): Ephemeral {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return { privateKey, publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url') };
}

/** What both sides of a link have in common. */
export interface LinkKeys {
  /** The handshake is bound to it: the same at both ends of this link, and of no other. */
  transcript: Buffer;
  /** For messages of the side that dialled. */
  dialler: Buffer;
  /** For messages of the side that was dialled. */
  acceptor: Buffer;
}

/**
 * @param relay the key of the world
 * @param boxes the two boxes as they were sent
 * @returns undefined for a public key that leads to no secret
 */
export function linkKeys(
  relay: KeyObject,
  subject: string,
  boxes: readonly [call: Uint8Array, reply: Uint8Array],
  own: Ephemeral,
  other: Buffer,
): LinkKeys | undefined {
  const shared = sharedSecret(own, other);
  if (!shared) return undefined;
  const hash = createHash('sha256');
  for (const each of [Buffer.from('app-net.nats.v1'), Buffer.from(subject, 'utf8'), ...boxes]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(each.length);
    hash.update(length).update(each);
  }
  const transcript = hash.digest();
  const info = Buffer.concat([Buffer.from('link'), transcript]);
  const keys = Buffer.from(hkdfSync('sha256', shared, relay.export(), info, 64));
  return { transcript, dialler: keys.subarray(0, 32), acceptor: keys.subarray(32) };
}

/** Undefined for one of the few public keys that lead to the same secret whatever the other one is. */
function sharedSecret({ privateKey }: Ephemeral, other: Buffer): Buffer | undefined {
  try {
    const jwk = { kty: 'OKP', crv: 'X25519', x: other.toString('base64url') };
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    return diffieHellman({ privateKey, publicKey });
  } catch {
    return undefined;
  }
}
