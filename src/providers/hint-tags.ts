import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { addressText, plainIp } from '../transport/address.ts';
import type { Address } from '../transport/address.ts';
import { HINT_TAG } from '../wire/guards.ts';
import type { Hint, HintedAddress } from './hint.ts';

/** The life of a peer that a hint is about. */
export interface Life {
  id: string;
  incarnation: string;
}

/** Bytes of a tag: one that is guessed is right once in 2^128 times. */
const LENGTH = 16;

/** Stands where an address does in what says that a life is over. */
const OVER = 'over';

/**
 * Tags of hints: only somebody who has the secret can say that this life of this peer is at this address, so a lie costs
 * a check and no dial. Each address has a tag of its own, because hints are cut and merged on their way: a link tells of
 * its own addresses, loopback is not told to other hosts, and nobody dials more than a few.
 *
 * A tag does not say when. An old one of a life that is over stays right, and costs a dial that leads nowhere.
 */
export class HintTags {
  /** Private, so that no log or inspector that walks the actors comes upon it. */
  readonly #key: KeyObject;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  /** The address with its tag, which replaces one that it had. */
  sign(life: Life, { host, port }: Address): Required<HintedAddress> {
    return { host, port, tag: this.#digest(life, canonicalText({ host, port })).toString('base64url') };
  }

  /** Whether the address has a tag and it is right. */
  isRight(life: Life, { tag, ...address }: HintedAddress): boolean {
    return tag !== undefined && this.#isDigest(tag, life, canonicalText(address));
  }

  /** What says that a life is over. Only to be said at its end: whoever hears it can say it again. */
  farewell(life: Life): string {
    return this.#digest(life, OVER).toString('base64url');
  }

  isFarewell(life: Life, text: string): boolean {
    return this.#isDigest(text, life, OVER);
  }

  #isDigest(tag: string, life: Life, what: string): boolean {
    return HINT_TAG.test(tag) && timingSafeEqual(Buffer.from(tag, 'base64url'), this.#digest(life, what));
  }

  #digest({ id, incarnation }: Life, what: string): Buffer {
    // No part but the last can hold a line break.
    const text = `${id}\n${incarnation}\n${what}`;
    return createHmac('sha256', this.#key).update(text, 'utf8').digest().subarray(0, LENGTH);
  }
}

/**
 * What is left of a hint that somebody else passes on.
 * @param tags undefined where nobody can make or check any
 * @returns undefined where a tag is wrong, since no honest peer passes that on. Marked as anybody's where there is none.
 */
export function checked(hint: Hint, tags: HintTags | undefined): Hint | undefined {
  if (!tags) return hint;
  const tagged = hint.addresses.filter(({ tag }) => tag !== undefined);
  if (tagged.length === 0) return { ...hint, isAnybodys: true };
  // The first that is wrong ends the work.
  return tagged.every((address) => tags.isRight(hint, address)) ? { ...hint, addresses: tagged } : undefined;
}

/** `10.0.0.7:4000`, `[fd00::7]:4000`: as everybody writes it, and without the zone, which means something here only. */
function canonicalText({ host, port }: Address): string {
  const [ip = ''] = plainIp(host).split('%');
  return addressText({ host: ip, port });
}
