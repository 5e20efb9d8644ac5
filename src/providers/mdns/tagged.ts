import type { Clock } from '../../base/clock.ts';
import { isPeerId } from '../../wire/guards.ts';
import type { HintTags, Life } from '../hint-tags.ts';
import { FAREWELL, MOST_TAGGED, PLACE, readPlace } from './records.ts';
import type { HintedAddress } from '../hint.ts';
import type { Address } from '../../transport/address.ts';

/**
 * What somebody who has the secret says in a packet, read from its bytes before anything takes them apart. It is taken
 * beside the flood gate: a lie has no right tag, so it takes no room from the honest, and costs this check and nothing
 * else. Only what a tag covers is believed: no time to live, no port, no name from other records.
 */

/** How often one life is listened to in a second. It speaks a few times a second at the most; more is said again by others. */
const OF_ONE = 8;

/** Lives that are told apart within a second. */
const MOST_LIVES = 4_096;

/** Places where tags may begin in one packet, that are looked at. A reflector may put descriptions of several peers into one. */
const MOST_CHECKS = 8;

/** Bytes before the first tag in which id and life are: four strings, each with at most 255. */
const ROOM = 1_024;

/** Somebody with the secret said it. */
export interface Vouched {
  life: Life;
  places: readonly HintedAddress[];
  /** That this life is over. Said once, at its end, so nobody can have recorded it before. */
  isOver: boolean;
}

export interface Verdict {
  right: readonly Vouched[];
  /** What is said with a wrong tag. */
  wrong: readonly { id: string; address: Address }[];
  /** Whether there is anything in it with a tag, be it heard too often. */
  isTagged: boolean;
}

const UNTAGGED: Verdict = { right: [], wrong: [], isTagged: false };

const MARK = Buffer.from(`${PLACE}1=`);

export class TagReader {
  readonly #tags: HintTags;
  readonly #clock: Clock;
  /** By life and first place, with its tag: how often it was heard since `#since`, all right. */
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

  /** @returns undefined for what was heard just now, or is malformed; the address where the first tag is wrong */
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

/** The strings of a description from the one that begins there: before each is a byte with its length. */
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
  // What was not found is at -1: then there is no byte with the length before it, or it is none of this key.
  const length = bytes[at - 1] ?? 0;
  const text = at > begin ? bytes.toString('latin1', at, Math.min(at + length, end)) : '';
  return text.startsWith(key) ? text.slice(key.length) : undefined;
}
