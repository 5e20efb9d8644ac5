import type { Clock } from '../../base/time/clock.ts';
import { isPeerId } from '../../wire/shapes.ts';
import type { HintTags, Life } from '../hint-tags.ts';
import { FAREWELL, MOST_TAGGED, PLACE, readPlace } from './records.ts';
import type { HintedAddress } from '../hint.ts';
import type { Address } from '../../transport/address.ts';

/**
 * Reads tagged announcements from the bytes of a packet, before the packet is parsed. They bypass the flood gate: a lie has no
 * valid tag, so it takes no room from honest peers and costs only this check. Only data covered by a tag is believed: no time to
 * live, port or name from other records.
 */

/**
 * Announcements of one life that are read per second. A peer sends a few per second at most; more are repeated by somebody else.
 */
const OF_ONE = 8;

/** Lives that are counted apart within a second. */
const MOST_LIVES = 4_096;

/** Tags checked in one packet, at most. A reflector may put the descriptions of several peers into one packet. */
const MOST_CHECKS = 8;

/** Bytes before the first tag that contain the id and the life: four strings of at most 255 bytes each. */
const ROOM = 1_024;

/** An announcement with a valid tag: its sender has the secret. */
export interface Vouched {
  life: Life;
  places: readonly HintedAddress[];
  /** The life is over. The tag for this is sent once, at the end, so nobody can have recorded it earlier. */
  isOver: boolean;
}

export interface Verdict {
  right: readonly Vouched[];
  /** Announcements with a wrong tag. */
  wrong: readonly { id: string; address: Address }[];
  /** Whether the packet has a tag at all, even one that was heard too often. */
  isTagged: boolean;
}

const UNTAGGED: Verdict = { right: [], wrong: [], isTagged: false };

const MARK = Buffer.from(`${PLACE}1=`);

export class TagReader {
  readonly #tags: HintTags;
  readonly #clock: Clock;
  /** By life and first tagged address: how often it was heard with a valid tag since `#since`. */
  #heard = new Map<string, number>();
  #since: number;

  constructor(tags: HintTags, clock: Clock) {
    this.#tags = tags;
    this.#clock = clock;
    this.#since = clock.now();
  }

  read(bytes: Buffer): Verdict {
    let at = bytes.indexOf(MARK);
    if (at < 1) return UNTAGGED;
    const right: Vouched[] = [];
    const wrong: { id: string; address: Address }[] = [];
    for (let checks = 0; at > 0 && checks < MOST_CHECKS; checks += 1) {
      const id = valueBefore(bytes, 'id=', at);
      const incarnation = valueBefore(bytes, 'life=', at);
      if (isPeerId(id) && isPeerId(incarnation)) {
        const vouched = this.#check({ id, incarnation }, stringsFrom(bytes, at));
        if (vouched && 'places' in vouched) right.push(vouched);
        else if (vouched) wrong.push({ id, address: vouched });
      }
      at = bytes.indexOf(MARK, at + MARK.length);
    }
    return { right, wrong, isTagged: true };
  }

  /** @returns undefined for a repeated or malformed announcement; the address if the first tag is wrong */
  #check(life: Life, [first = '', ...more]: readonly string[]): Vouched | Address | undefined {
    const last = more.at(-1) ?? '';
    const farewell = last.startsWith(FAREWELL) ? last.slice(FAREWELL.length) : undefined;
    const key = `${life.id} ${life.incarnation} ${first}`;
    const times = this.#timesHeard(key);
    if (times >= OF_ONE && farewell === undefined) return undefined;
    const place = placeIn(first);
    if (!place || !this.#tags.isRight(life, place)) return place;
    this.#heard.set(key, times + 1);
    const others = more
      .flatMap((text) => placeIn(text) ?? [])
      .filter((each) => this.#tags.isRight(life, each));
    const isOver = farewell !== undefined && this.#tags.isFarewell(life, farewell);
    return { life, places: [place, ...others], isOver };
  }

  #timesHeard(key: string): number {
    const now = this.#clock.now();
    if (now - this.#since >= 1_000 || this.#heard.size >= MOST_LIVES) {
      this.#heard = new Map();
      this.#since = now;
    }
    return this.#heard.get(key) ?? 0;
  }
}

function placeIn(text: string): Required<HintedAddress> | undefined {
  return text.startsWith(PLACE) ? readPlace(text.slice(PLACE.length + 2)) : undefined;
}

/** The strings of a description, from the one at `at` on. A byte with its length precedes each string. */
function stringsFrom(bytes: Buffer, at: number): string[] {
  const strings: string[] = [];
  for (let begin = at; begin <= bytes.length && strings.length <= MOST_TAGGED;) {
    const end = begin + bytes[begin - 1]!;
    if (end > bytes.length) break;
    const text = bytes.toString('latin1', begin, end);
    if (!text.startsWith(PLACE) && !text.startsWith(FAREWELL)) break;
    strings.push(text);
    begin = end + 1;
  }
  return strings;
}

/** The value of the last string with this key before `end`. */
function valueBefore(bytes: Buffer, key: string, end: number): string | undefined {
  const begin = Math.max(0, end - ROOM);
  const at = begin + bytes.subarray(begin, end).lastIndexOf(key);
  // If the key is not found, the index is -1. Then there is no length byte before it, or the text does not begin with the key.
  const length = bytes[at - 1] ?? 0;
  const text = at > begin ? bytes.toString('latin1', at, Math.min(at + length, end)) : '';
  return text.startsWith(key) ? text.slice(key.length) : undefined;
}
