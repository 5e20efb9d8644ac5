import { createHash, createHmac, createSecretKey, hkdfSync, randomBytes, scrypt } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** The form of a generated secret: `net1_` and 32 bytes, base64url. */
const MADE = /^net1_([A-Za-z0-9_-]{43})$/;

/**
 * Characters that a passphrase must have at least. A stranger that answers a dial gets one proof, against which it can try
 * passphrases offline. On one host, any user can do this by taking the port of a peer that has died. NIST SP 800-63B-4 gives this
 * number for a password that is the only factor.
 */
export const SHORTEST_SECRET = 15;

/** A passphrase with fewer different characters is a pattern, however long it is. */
const FEWEST_DIFFERENT = 6;

/** The secret of peers that are told to do without one. Everybody knows it. All bytes are 0. */
export const PUBLIC_SECRET = `net1_${'A'.repeat(43)}`;

/**
 * Cost of stretching a passphrase: 2^15 × 8 × 128 bytes = 32 MiB, three times. OWASP's Password Storage Cheat Sheet lists five
 * settings of equal strength; this one still suits small containers.
 */
const STRETCH = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };

/** The two keys of a handshake: one for each side's proof, so that a proof cannot be reflected. */
export interface HandshakeKeys {
  readonly dialler: KeyObject;
  readonly acceptor: KeyObject;
}

/** Everything that is derived from a secret. */
export interface SecretKeys extends HandshakeKeys {
  /** A name for the secret, 96 bits, base64url. It does not reveal the secret, unless the secret can be guessed. */
  readonly world: string;
  /**
   * The key for tags of hints. Undefined for a passphrase: everybody on the network sees a tag, and could try passphrases against
   * it. Undefined for the public secret, too: everybody could make tags with it.
   */
  readonly hints: KeyObject | undefined;
  /**
   * The key for messages that go through a broker. Undefined in the same cases: a broker sees every message, and could try
   * passphrases at leisure.
   */
  readonly relay: KeyObject | undefined;
  /** The key that makes the keys of passes. Undefined in the same cases: the holder of a pass could try passphrases against it. */
  readonly passes: KeyObject | undefined;
  /** The key for the places of peers on the rings of neighbours. */
  readonly rings: KeyObject;
}

/** A new secret, 256 bits from the system's generator. */
export function makeSecret(): string {
  return `net1_${randomBytes(32).toString('base64url')}`;
}

/** Why a secret is too weak, as the end of a sentence that begins with "this one"; undefined if it is strong enough. */
export function weaknessOf(secret: string): string | undefined {
  if (secret === PUBLIC_SECRET) return 'is known to everybody';
  if (MADE.test(secret)) return undefined;
  if (secret.length < SHORTEST_SECRET) return `has fewer than ${SHORTEST_SECRET} characters`;
  if (new Set(secret).size < FEWEST_DIFFERENT)
    return `has fewer than ${FEWEST_DIFFERENT} different characters`;
  return undefined;
}

/**
 * Derives the keys of a secret. A generated secret is used as it is. Anything else is a passphrase, which is stretched once, off
 * the main thread.
 */
export async function deriveKeys(secret: string): Promise<SecretKeys> {
  const made = MADE.exec(secret)?.[1];
  const key = made === undefined ? await stretch(secret) : Buffer.from(made, 'base64url');
  const isSafe = made !== undefined && secret !== PUBLIC_SECRET;
  return new PrivateKeys(expand(key, 'handshake', 64), expand(key, 'world', 12).toString('base64url'), {
    hints: isSafe ? createSecretKey(expand(key, 'hint', 32)) : undefined,
    relay: isSafe ? createSecretKey(expand(key, 'relay', 32)) : undefined,
    passes: isSafe ? createSecretKey(expand(key, 'pass', 32)) : undefined,
    rings: createSecretKey(expand(key, 'rings', 32)),
  });
}

/** The key of the pass with this public part, 32 bytes. @param passes of the secret */
export function keyOfPass(passes: KeyObject, shown: string): Buffer {
  return createHmac('sha256', passes).update(shown, 'latin1').digest();
}

/** The keys of a handshake with a pass. @param key of the pass, 32 bytes */
export function handshakeKeysOf(key: Buffer): HandshakeKeys {
  return new PrivateKeys(expand(key, 'handshake', 64), '', NO_KEYS);
}

/**
 * The keys of a peer that has a pass.
 * @param key of the pass, 32 bytes
 * @param world of the secret that made it
 */
export function keysOfGuest(key: Buffer, world: string): SecretKeys {
  const rings = createSecretKey(randomBytes(32));
  return new PrivateKeys(expand(key, 'handshake', 64), world, { ...NO_KEYS, rings });
}

/**
 * The id of a peer that has a pass. It follows from the pass, so that nobody can take the id of another peer.
 * @param shown the public part
 */
export function guestId(shown: string, incarnation: string): string {
  const digest = createHash('sha256').update(`app-net.v1 guest\n${shown}\n${incarnation}`, 'latin1').digest();
  return digest.toString('base64url', 0, 16);
}

type OtherKeys = Pick<SecretKeys, 'hints' | 'relay' | 'passes' | 'rings'>;

const NO_KEYS = {
  hints: undefined,
  relay: undefined,
  passes: undefined,
  // Only a peer that connects to others by itself has a place on rings.
  rings: createSecretKey(Buffer.alloc(32)),
} satisfies OtherKeys;

/** Keeps the keys in private fields, so that a log or inspector that walks the actors does not find them. */
class PrivateKeys implements SecretKeys {
  readonly #world: string;
  readonly #dialler: KeyObject;
  readonly #acceptor: KeyObject;
  readonly #others: OtherKeys;

  /** @param both of the handshake, one after the other */
  constructor(both: Buffer, world: string, others: OtherKeys) {
    this.#dialler = createSecretKey(both.subarray(0, 32));
    this.#acceptor = createSecretKey(both.subarray(32));
    this.#world = world;
    this.#others = others;
  }

  get relay(): KeyObject | undefined {
    return this.#others.relay;
  }

  get hints(): KeyObject | undefined {
    return this.#others.hints;
  }

  get passes(): KeyObject | undefined {
    return this.#others.passes;
  }

  get rings(): KeyObject {
    return this.#others.rings;
  }

  get world(): string {
    return this.#world;
  }

  get dialler(): KeyObject {
    return this.#dialler;
  }

  get acceptor(): KeyObject {
    return this.#acceptor;
  }
}

function expand(key: Buffer, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, 'app-net.v1', info, bytes));
}

function stretch(passphrase: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), 'app-net.v1', 32, STRETCH, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}
