import { createCipheriv, createDecipheriv } from 'node:crypto';

/**
 * The seal of a link's messages, for one direction: AES-256-GCM, with a counter as the nonce. The key is used for this direction
 * of this link only, so no nonce is used twice.
 *
 * A sealed message is `counter (6 bytes, most significant first) ‖ ciphertext ‖ tag (16 bytes)`.
 */

const COUNTER = 6;
const TAG = 16;

/** Bytes that a seal adds to a message. */
export const SEAL_BYTES = COUNTER + TAG;

export class Sealer {
  readonly #key: Buffer;
  readonly #nonce = Buffer.alloc(12);
  #counter = 0;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** The counter of the last message. */
  get counter(): number {
    return this.#counter;
  }

  seal(message: Uint8Array): Buffer {
    const nonce = this.#nonce;
    nonce.writeUIntBE((this.#counter += 1), 12 - COUNTER, COUNTER);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const sealed = Buffer.allocUnsafe(message.length + SEAL_BYTES);
    nonce.copy(sealed, 0, 12 - COUNTER);
    cipher.update(message).copy(sealed, COUNTER);
    cipher.final();
    cipher.getAuthTag().copy(sealed, COUNTER + message.length);
    return sealed;
  }
}

/** Nobody with the key made it, or it was here before. It is ignored. */
export type Foreign = 'foreign';

export class Unsealer {
  readonly #key: Buffer;
  readonly #nonce = Buffer.alloc(12);
  #counter = 0;
  #isAhead = false;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** The counter of the last message before which none is missing. */
  get counter(): number {
    return this.#counter;
  }

  /** Whether messages before the one that was just unsealed are missing. It is not counted then: it has to come again. */
  get isAhead(): boolean {
    return this.#isAhead;
  }

  unseal(sealed: Uint8Array): Buffer | Foreign {
    if (sealed.length < SEAL_BYTES) return 'foreign';
    const nonce = this.#nonce;
    nonce.set(sealed.subarray(0, COUNTER), 12 - COUNTER);
    const counter = nonce.readUIntBE(12 - COUNTER, COUNTER);
    // It was here before: somebody repeats what they recorded.
    if (counter <= this.#counter) return 'foreign';
    const end = sealed.length - TAG;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce).setAuthTag(sealed.subarray(end));
    const message = decipher.update(sealed.subarray(COUNTER, end));
    try {
      decipher.final();
    } catch {
      return 'foreign';
    }
    // Only now is the counter known to be true: anybody can write a number in front of nonsense.
    this.#isAhead = counter !== this.#counter + 1;
    if (!this.#isAhead) this.#counter = counter;
    return message;
  }
}
