import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/**
 * Boxes: single messages that only holders of the secret can make and read. Announcements and the opening of links travel in them.
 * A box belongs to one subject. Nobody can move it to another one.
 */

const NONCE = 12;
const TAG = 16;

/** `nonce ‖ ciphertext ‖ tag`. A random nonce is safe for 2^32 boxes of one secret (NIST SP 800-38D, 8.3). */
export function sealBox(key: KeyObject, subject: string, content: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(subject, 'utf8'));
  return Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined if it was not made for this subject by a holder of the secret. */
export function openBox(key: KeyObject, subject: string, box: Uint8Array): Buffer | undefined {
  if (box.length < NONCE + TAG) return undefined;
  const end = box.length - TAG;
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE))
    .setAAD(Buffer.from(subject, 'utf8'))
    .setAuthTag(box.subarray(end));
  try {
    return Buffer.concat([decipher.update(box.subarray(NONCE, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}
