import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import { OtherSecret } from './handshake-messages.ts';
import type { HandshakeKeys } from './secret.ts';

/** The proofs of a handshake, and what they cover. */

/** The connection that the proofs are bound to. It comes from the socket and is never negotiated. */
export type Binding = { kind: string; data: Uint8Array };

/** `lp(x)`: four bytes of length, most significant first, then x. */
function lengthPrefixed(data: Uint8Array | string): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  const all = Buffer.allocUnsafe(4 + bytes.length);
  all.writeUInt32BE(bytes.length);
  all.set(bytes, 4);
  return all;
}

/** `T`, which both proofs cover. It hashes the exact bytes of the messages on the wire. */
export function transcript(binding: Binding, m1: string, m2: string): Buffer {
  const bound = Buffer.concat([lengthPrefixed(binding.kind), lengthPrefixed(binding.data)]);
  const parts = ['app-net.v1', bound, m1, m2].map(lengthPrefixed);
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

export function diallerProof(keys: HandshakeKeys, t: Buffer): Buffer {
  return createHmac('sha256', keys.dialler).update(t).digest();
}

/** Also covers M3, so that it answers this dialler and no other. */
export function acceptorProof(keys: HandshakeKeys, t: Buffer, m3: string): Buffer {
  return createHmac('sha256', keys.acceptor).update(t).update(m3, 'utf8').digest();
}

/** The proof of an acceptor that refuses a dialler whose id another process has. No M3 ends in `taken`, so it is unambiguous. */
export function takenProof(keys: HandshakeKeys, t: Buffer, m3: string): Buffer {
  return acceptorProof(keys, t, `${m3}taken`);
}

/** @throws OtherSecret for another proof than the expected one */
export function checkProof(given: string, expected: Buffer): void {
  // Compare the text, not the bytes: several base64 texts can stand for the same bytes.
  const [proof, wanted] = [Buffer.from(given, 'utf8'), Buffer.from(expected.toString('base64url'), 'utf8')];
  // Compare the lengths first: timingSafeEqual throws if they differ.
  if (proof.length !== wanted.length || !timingSafeEqual(proof, wanted)) {
    throw new OtherSecret('the proof is wrong: the two sides have different secrets');
  }
}
