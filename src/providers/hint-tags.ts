import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { Memo } from '../base/memo.ts';
import { addressText, plainIp } from '../transport/address.ts';
import type { Address } from '../transport/address.ts';
import { HINT_TAG } from '../wire/shapes.ts';
import type { Hint, HintedAddress } from './hint.ts';

/** The life of a peer that a hint is about. */
export interface Life {
  id: string;
  incarnation: string;
}

/** Bytes of a tag. A guessed tag is right once in 2^128 times. */
const LENGTH = 16;

/** Takes the place of the address in the tag that says that a life is over. */
const OVER = 'over';

/**
 * Right tags that were made or checked lately, for all peers of this process: each of them hears of the same lives, and of each
 * life several times. Wrong ones are not remembered, so that a flood of lies displaces nothing.
 */
const right = new Memo<Buffer>(8_192);

/**
 * Tags of hints. A tag proves that somebody with the secret said that this life of this peer is at this address, so a lie costs a
 * check and no dial. Each address has its own tag, because hints are cut and merged on their way: each link announces its own
 * addresses, loopback is not told to other hosts, and a peer dials only a few addresses.
 *
 * A tag has no time. The tag of a life that is over stays valid, and costs a dial that fails.
 */
export class HintTags {
  /** Private, so that a log or inspector that walks the actors does not find it. */
  readonly #key: KeyObject;
  /** Tells the key from others. */
  readonly #name: string;

  constructor(key: KeyObject) {
    this.#key = key;
    this.#name = createHmac('sha256', key).update('name').digest('base64url');
  }

  /** The address with a new tag, which replaces an old one. */
  sign(life: Life, { host, port }: Address): Required<HintedAddress> {
    const what = canonicalText({ host, port });
    const digest = this.#digest(life, what);
    right.set(this.#about(life, what), digest);
    return { host, port, tag: digest.toString('base64url') };
  }

  /** Whether the address has a tag, and the tag is right. */
  isRight(life: Life, { tag, ...address }: HintedAddress): boolean {
    return tag !== undefined && this.#isDigest(tag, life, canonicalText(address));
  }

  /** The tag that says that a life is over. Send it only at the end: anybody that hears it can repeat it. */
  farewell(life: Life): string {
    return this.#digest(life, OVER).toString('base64url');
  }

  isFarewell(life: Life, text: string): boolean {
    return this.#isDigest(text, life, OVER);
  }

  #isDigest(tag: string, life: Life, what: string): boolean {
    if (!HINT_TAG.test(tag)) return false;
    const about = this.#about(life, what);
    const known = right.get(about);
    const digest = known ?? this.#digest(life, what);
    if (!timingSafeEqual(Buffer.from(tag, 'base64url'), digest)) return false;
    if (!known) right.set(about, digest);
    return true;
  }

  #about({ id, incarnation }: Life, what: string): string {
    return `${this.#name}\n${id}\n${incarnation}\n${what}`;
  }

  #digest({ id, incarnation }: Life, what: string): Buffer {
    // Only the last part can contain a line break, so the text is unambiguous.
    const text = `${id}\n${incarnation}\n${what}`;
    return createHmac('sha256', this.#key).update(text, 'utf8').digest().subarray(0, LENGTH);
  }
}

/**
 * Checks a hint that another peer passes on, and keeps its tagged addresses.
 * @param tags undefined if tags cannot be made or checked with this secret
 * @returns undefined if a tag is wrong, because no honest peer passes that on. A hint without tags is marked as anybody's.
 */
export function checked(hint: Hint, tags: HintTags | undefined): Hint | undefined {
  if (!tags) return hint;
  const tagged = hint.addresses.filter(({ tag }) => tag !== undefined);
  if (tagged.length === 0) return { ...hint, isAnybodys: true };
  // The first wrong tag ends the check.
  return tagged.every((address) => tags.isRight(hint, address)) ? { ...hint, addresses: tagged } : undefined;
}

/** `10.0.0.7:4000`, `[fd00::7]:4000`: the canonical form, without the zone, which has a meaning only on this host. */
function canonicalText({ host, port }: Address): string {
  const [ip = ''] = plainIp(host).split('%');
  return addressText({ host: ip, port });
}
