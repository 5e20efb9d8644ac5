import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import { OtherSecret } from './handshake-messages.ts';
import type { HandshakeKeys } from './secret.ts';

/** The proofs of a handshake, and what they cover. */

/** The connection that the proofs are bound to. It comes from the socket and is never negotiated. */
export type Binding = { kind: string; data: Uint8Array };

/** `lp(x)` of each part, one after the other: four bytes of length, most significant first, then the bytes of x. */
function lengthPrefixed(...parts: (Uint8Array | string)[]): Buffer {
  const all = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + 4 + Buffer.byteLength(part), 0));
  let at = 0;
  for (const part of parts) {
    const start = at + 4;
    if (typeof part === 'string') at = start + all.write(part, start, 'utf8');
    else {
      all.set(part, start);
      at = start + part.length;
    }
    all.writeUInt32BE(at - start, start - 4);
  }
  return all;
}

/** `T`, which both proofs cover. It hashes the exact bytes of the messages on the wire. */
export function transcript(binding: Binding, m1: string, m2: string): Buffer {
  const bound = lengthPrefixed(binding.kind, binding.data);
  return createHash('sha256')
    .update(lengthPrefixed('app-net.v1', bound, m1, m2))
    .digest();
}

/** As base64url, like the other proofs. */
export function diallerProof(keys: HandshakeKeys, t: Buffer): string {
  return createHmac('sha256', keys.dialler).update(t).digest('base64url');
}

/** Also covers M3, so that it answers this dialler and no other. */
export function acceptorProof(keys: HandshakeKeys, t: Buffer, m3: string): string {
  return createHmac('sha256', keys.acceptor).update(t).update(m3, 'utf8').digest('base64url');
}

/** The proof of an acceptor that refuses a dialler whose id another process has. No M3 ends in `taken`, so it is unambiguous. */
export function takenProof(keys: HandshakeKeys, t: Buffer, m3: string): string {
  return acceptorProof(keys, t, `${m3}taken`);
}

/** @throws OtherSecret for another proof than the expected one */
export function checkProof(given: string, expected: string): void {
  // Compare the text, not the bytes: several base64 texts can stand for the same bytes.
  const [proof, wanted] = [Buffer.from(given, 'utf8'), Buffer.from(expected, 'latin1')];
  // Compare the lengths first: timingSafeEqual throws if they differ.
  if (proof.length !== wanted.length || !timingSafeEqual(proof, wanted)) {
    throw new OtherSecret('the proof is wrong: the two sides have different secrets');
  }
}
