import { isDefaultTag, readableTag } from '../base/tag.ts';
import type { WatchedFunction } from '../presence/set/peer-watch.ts';
import type { CallEnd } from './call-end.ts';
import { OTHER } from './call-stats.ts';
import type { CallCounting } from './call-stats.ts';

/** Counts the calls of one side between two messages of `net.watch`. */

/** Buckets of durations: four for each doubling, from 0.01 ms to 167 s. A bucket is 19 % wide, so a percentile is off by less. */
const BUCKETS = 96;
const SHORTEST = 0.01;
const PER_DOUBLING = 4;

/** Functions that are told apart. The others are counted together. */
const MOST_TAGS = 1_000;

/** Functions that one message names, those with the most calls first. */
const MOST_NAMED = 100;

class Counted {
  readonly tag: string;
  count = 0;
  ok = 0;
  failed: Record<string, number> = {};
  times = new Uint32Array(BUCKETS);

  constructor(tag: string) {
    this.tag = tag;
  }

  add({ ok, code, ran }: CallEnd): void {
    this.count += 1;
    if (ok) {
      this.ok += 1;
    } else {
      const key = `${code ?? 'ERROR'} ${ran}`;
      this.failed[key] = (this.failed[key] ?? 0) + 1;
    }
  }

  /** Adds what the other one has counted. */
  take(other: Counted): void {
    this.count += other.count;
    this.ok += other.ok;
    for (const [key, count] of Object.entries(other.failed))
      this.failed[key] = (this.failed[key] ?? 0) + count;
    for (const [index, count] of other.times.entries()) this.times[index]! += count;
  }

  clear(): void {
    this.count = 0;
    this.ok = 0;
    this.failed = {};
    this.times.fill(0);
  }

  row(side: WatchedFunction['side']): WatchedFunction {
    const times: number[] = [];
    for (const [index, count] of this.times.entries()) if (count > 0) times.push(index, count);
    return { tag: this.tag, side, ok: this.ok, failed: this.failed, times };
  }
}

export class WatchedCalls implements CallCounting {
  readonly #side: WatchedFunction['side'];
  /** By tag; null for the library's own functions, which would hide those of the user. */
  readonly #byTag = new Map<string, Counted | null>();
  readonly #rest = new Counted(OTHER);

  constructor(side: WatchedFunction['side']) {
    this.#side = side;
  }

  record(tag: string, milliseconds: number, end: CallEnd): void {
    const counted = this.#byTag.get(tag) ?? this.#find(tag);
    if (!counted) return;
    counted.add(end);
    counted.times[bucketOf(milliseconds)]! += 1;
  }

  /** A tag that no function has counts as one of the others: callers may think of any. */
  refused(tag: string | undefined, end: CallEnd): void {
    const isKnown = tag !== undefined && end.code !== 'NO_SUCH_TAG';
    (isKnown ? this.#find(tag) : this.#rest)?.add(end);
  }

  /** What was counted since the last time. */
  take(): WatchedFunction[] {
    const called = [...this.#byTag.values()].filter((each) => each !== null && each.count > 0) as Counted[];
    if (called.length > MOST_NAMED) {
      called.sort((a, b) => b.count - a.count);
      for (const each of called.splice(MOST_NAMED)) {
        this.#rest.take(each);
        each.clear();
      }
    }
    if (this.#rest.count > 0) called.push(this.#rest);
    return called.map((each) => {
      const row = each.row(this.#side);
      each.clear();
      return row;
    });
  }

  #find(tag: string): Counted | null {
    const known = this.#byTag.get(tag);
    if (known !== undefined) return known;
    if (this.#byTag.size >= MOST_TAGS) return isDefaultTag(tag) ? null : this.#rest;
    const counted = isDefaultTag(tag) ? null : new Counted(readableTag(tag));
    this.#byTag.set(tag, counted);
    return counted;
  }
}

function bucketOf(milliseconds: number): number {
  const bucket = Math.floor(Math.log2(milliseconds / SHORTEST) * PER_DOUBLING);
  // Zero becomes -Infinity.
  return bucket > 0 ? Math.min(bucket, BUCKETS - 1) : 0;
}
