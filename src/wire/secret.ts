import { createSecretKey, hkdfSync, randomBytes, scrypt } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** What a made secret looks like: `net1_` and 32 bytes, base64url. */
const MADE = /^net1_([A-Za-z0-9_-]{43})$/;

/**
 * Characters of a passphrase. Whoever answers a dial can go away with one proof and try passphrases at leisure; on one
 * host that is any user who takes the port of a peer that has died. The figure of NIST SP 800-63B-4 for a password
 * that stands alone.
 */
export const SHORTEST_SECRET = 15;

/** Fewer different characters are a pattern, however long. */
const FEWEST_DIFFERENT = 6;

/** What peers have that are told to do without a secret: everybody knows it. All bytes are 0. */
export const PUBLIC_SECRET = `net1_${'A'.repeat(43)}`;

/**
 * Cost of stretching a passphrase: 2^15 × 8 × 128 bytes = 32 MiB, three times over. One of the five settings of equal
 * strength in OWASP's Password Storage Cheat Sheet, and of those the one that is still kind to small containers.
 */
const STRETCH = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };

/** The two keys of a handshake: one for each side's proof, so that a proof cannot be reflected. */
export interface HandshakeKeys {
  readonly dialler: Buffer;
  readonly acceptor: Buffer;
}

/** Everything that is made of a secret. */
export interface SecretKeys extends HandshakeKeys {
  /** A name for the secret that does not give it away, unless it can be guessed: 96 bits, base64url. */
  readonly world: string;
  /**
   * What tags of hints are made with. Undefined for a passphrase: a tag goes to everybody on the network, and would let
   * them try passphrases against it. Undefined for the public secret, with which everybody could make tags.
   */
  readonly hints: KeyObject | undefined;
}

/** A new secret, 256 bits from the system's generator. */
export function makeSecret(): string {
  return `net1_${randomBytes(32).toString('base64url')}`;
}

/** What is wrong with a secret, to be read after "this one"; undefined when nothing is. */
export function weaknessOf(secret: string): string | undefined {
  if (secret === PUBLIC_SECRET) return 'is known to everybody';
  if (MADE.test(secret)) return undefined;
  if (secret.length < SHORTEST_SECRET) return `has fewer than ${SHORTEST_SECRET} characters`;
  if (new Set(secret).size < FEWEST_DIFFERENT)
    return `has fewer than ${FEWEST_DIFFERENT} different characters`;
  return undefined;
}

/**
 * The keys that belong to a secret. A made secret is used as it is; anything else is taken for a passphrase and
 * stretched once, off the main thread.
 */
export async function deriveKeys(secret: string): Promise<SecretKeys> {
  const made = MADE.exec(secret)?.[1];
  const key = made === undefined ? await stretch(secret) : Buffer.from(made, 'base64url');
  return new PrivateKeys(
    expand(key, 'handshake', 64),
    expand(key, 'world', 12).toString('base64url'),
    made === undefined || secret === PUBLIC_SECRET ? undefined : createSecretKey(expand(key, 'hint', 32)),
  );
}

/** In private fields, so that no log or inspector that walks the actors comes upon them. */
class PrivateKeys implements SecretKeys {
  readonly #world: string;
  readonly #both: Buffer;
  readonly #hints: KeyObject | undefined;

  constructor(both: Buffer, world: string, hints: KeyObject | undefined) {
    this.#both = both;
    this.#world = world;
    this.#hints = hints;
  }

  get hints(): KeyObject | undefined {
    return this.#hints;
  }

  get world(): string {
    return this.#world;
  }

  get dialler(): Buffer {
    return this.#both.subarray(0, 32);
  }

  get acceptor(): Buffer {
    return this.#both.subarray(32);
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
