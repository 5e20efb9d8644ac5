import type { Fingerprint, Mark } from './types.ts';

/**
 * Fingerprints of peers, and of sets of them. Whoever computes them holds the secret of the world, so they have to tell apart what
 * differs by chance, and not what somebody made to look alike: 64 bits, quickly computed.
 */

export function fingerprintOf(mark: Mark): Fingerprint {
  const [high, low] = halves(mark);
  return fingerprintText(high, low);
}

function fingerprintText(high: number, low: number): Fingerprint {
  return high.toString(36) + low.toString(36).padStart(7, '0');
}

/** Of a set, the same whatever order it came in: members go in and out one by one. */
export class SetDigest {
  #high = 0;
  #low = 0;

  /** Puts it in, or takes it out. */
  toggle(mark: Mark): void {
    const [high, low] = halves(mark);
    this.#high ^= high;
    this.#low ^= low;
  }

  get text(): string {
    return fingerprintText(this.#high >>> 0, this.#low >>> 0);
  }
}

function halves({ id, incarnation, version }: Mark): [number, number] {
  const text = `${id} ${incarnation} ${version}`;
  let high = 0x811c9dc5;
  let low = 0x9e3779b9;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x85ebca6b);
    low ^= low >>> 13;
  }
  return [mixed(high), mixed(low)];
}

/** Each bit depends on each other (the last step of MurmurHash3), or texts that are alike would cancel out in a digest. */
function mixed(half: number): number {
  let bits = half ^ (half >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
