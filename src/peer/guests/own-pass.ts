import { readClaims, Rights, splitPass } from '../../wire/handshake/pass.ts';
import { guestId, keysOfGuest } from '../../wire/handshake/secret.ts';
import type { SecretKeys } from '../../wire/handshake/secret.ts';

/** The pass that a peer has in place of the secret. */
export interface OwnPass {
  /** The public part. */
  readonly shown: string;
  /** The id of the peer follows from it. */
  readonly id: string;
  readonly rights: Rights;
  /** A function, so that a log or inspector that walks the actors does not find the key. */
  readonly keys: () => SecretKeys;
}

interface PassOption {
  pass?: string | undefined;
  id?: string | undefined;
  name?: string | undefined;
  hub?: boolean | undefined;
  announce?: boolean | undefined;
  secret?: string | undefined;
  secretFile?: string | undefined;
  insecure?: boolean | undefined;
  pages?: unknown;
}

/** Options that a peer with a pass cannot have, and why. */
const AGAINST: { [Name in keyof PassOption]?: string } = {
  id: 'the id follows from the pass',
  name: 'the pass names its peer; give the name to pass(), where the pass is made',
  secret: 'it takes the place of the secret',
  secretFile: 'it takes the place of the secret',
  insecure: 'it takes the place of the secret',
  pages: 'only a peer that has the secret lets pages in',
};

/** @throws TypeError for what is no pass, and for options that contradict it */
export function resolvePass(options: PassOption, incarnation: string): OwnPass | undefined {
  if (options.pass === undefined) return undefined;
  const parts = splitPass(options.pass);
  const claims = parts && readClaims(Buffer.from(parts.shown, 'base64url').toString('utf8'));
  if (!claims) throw new TypeError('pass: give the text that peer.pass() of another peer returned');
  for (const [name, why] of Object.entries(AGAINST)) {
    if (options[name as keyof PassOption] !== undefined)
      throw new TypeError(`${name}: leave it out together with pass: ${why}`);
  }
  if (options.announce === true)
    throw new TypeError('announce: a peer with a pass only dials others; leave it out');
  if (options.hub === true) throw new TypeError('hub: a peer with a pass is never a hub; leave it out');
  const { shown, key } = parts;
  return {
    shown,
    id: guestId(shown, incarnation),
    rights: new Rights(claims),
    keys: () => keysOfGuest(Buffer.from(key, 'base64url'), claims.kid),
  };
}
