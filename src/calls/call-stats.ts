import { readableTag } from '../base/tag.ts';
import type { CallEnd } from './call-end.ts';
import type { CallSeries } from '../presence/set/peer-metrics.ts';

/** Counts and durations of calls, by function and end. */

/** Upper ends of the buckets of durations, in s. A call within a host takes 0.1 ms, and a person stops waiting after 10 s. */
export const BUCKETS: readonly number[] = [
  0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** The name that all functions beyond `MOST_TAGS` have together. */
export const OTHER = 'other';

/** Functions that are told apart. Each is some 20 lines of text for each of its ends, whoever thinks of the tags. */
const MOST_TAGS = 1_000;

/** The calls of one function that ended in one way. */
class Series {
  count = 0;
  /** In ms. */
  sum = 0;
  /** How many took at most that long, and longer than the bucket before; the last is for all that took longer. */
  readonly buckets: number[] = Array.from({ length: BUCKETS.length + 1 }, () => 0);

  add(milliseconds: number): void {
    this.count += 1;
    this.sum += milliseconds;
    const seconds = milliseconds / 1_000;
    let at = 0;
    while (at < BUCKETS.length && seconds > BUCKETS[at]!) at += 1;
    this.buckets[at]! += 1;
  }
}

/** The calls of one function. */
class OfTag {
  readonly ok = new Series();
  /** Those that did not succeed, by `<code> <ran>`. */
  readonly failed = new Map<string, Series>();
}

/** Somebody who counts the calls of one side. */
export interface CallCounting {
  record(tag: string, milliseconds: number, end: CallEnd): void;
  /** A request that was not taken. @param tag undefined if it could not be read */
  refused(tag: string | undefined, end: CallEnd): void;
}

/** The calls of one side. */
export class CallStats implements CallCounting {
  readonly #byName = new Map<string, OfTag>();
  /** Also by tag, so that the name need not be derived for each call. */
  readonly #byTag = new Map<string, OfTag>();
  #lastTag: string | undefined;
  #last: OfTag | undefined;

  record(tag: string, milliseconds: number, end: CallEnd): void {
    const of = tag === this.#lastTag ? this.#last! : this.#of(tag);
    if (end.ok) of.ok.add(milliseconds);
    else seriesOf(of, end).add(milliseconds);
  }

  /** A tag that no function has counts as one of the others: callers may think of any. */
  refused(tag: string | undefined, end: CallEnd): void {
    this.record(tag === undefined || end.code === 'NO_SUCH_TAG' ? OTHER : tag, 0, end);
  }

  list(): CallSeries[] {
    return [...this.#byName].flatMap(([tag, { ok, failed }]) => {
      const all: [string, Series][] = [['OK yes', ok], ...failed];
      return all
        .filter(([, { count }]) => count > 0)
        .map(([key, { count, sum, buckets }]) => {
          const [code, ran] = key.split(' ') as [string, CallSeries['ran']];
          return { tag, code, ran, count, seconds: sum / 1_000, buckets: [...buckets] };
        });
    });
  }

  #of(tag: string): OfTag {
    const of = this.#byTag.get(tag) ?? this.#add(tag);
    this.#lastTag = tag;
    this.#last = of;
    return of;
  }

  #add(tag: string): OfTag {
    const isNew = this.#byTag.size < MOST_TAGS;
    const name = isNew ? readableTag(tag) : OTHER;
    const of = this.#byName.get(name) ?? new OfTag();
    this.#byName.set(name, of);
    if (isNew) this.#byTag.set(tag, of);
    return of;
  }
}

function seriesOf({ failed }: OfTag, { code, ran }: CallEnd): Series {
  const key = `${code ?? 'ERROR'} ${ran}`;
  const series = failed.get(key) ?? new Series();
  failed.set(key, series);
  return series;
}

/** The calls of a peer, while somebody wants to know. Without anybody calls pay only for the check. */
export class MeasuredCalls {
  /** Calls that this peer makes. */
  made: CallCounting | undefined;
  /** Calls that it runs for others. */
  ran: CallCounting | undefined;
  #metrics: { made: CallStats; ran: CallStats } | undefined;

  /** For `metrics()`: they count from the first time that somebody asks until the peer ends. */
  begin(): { made: CallStats; ran: CallStats } {
    if (!this.#metrics) {
      this.#metrics = { made: new CallStats(), ran: new CallStats() };
      this.made = both(this.made, this.#metrics.made);
      this.ran = both(this.ran, this.#metrics.ran);
    }
    return this.#metrics;
  }

  /** For `net.watch`, of which there is one at a time. Returns a function that ends it. */
  watch(made: CallCounting, ran: CallCounting): () => void {
    this.made = both(this.#metrics?.made, made);
    this.ran = both(this.#metrics?.ran, ran);
    return () => {
      this.made = this.#metrics?.made;
      this.ran = this.#metrics?.ran;
    };
  }
}

function both(one: CallCounting | undefined, other: CallCounting): CallCounting {
  if (!one) return other;
  return {
    record: (tag, milliseconds, end) => {
      one.record(tag, milliseconds, end);
      other.record(tag, milliseconds, end);
    },
    refused: (tag, end) => {
      one.refused(tag, end);
      other.refused(tag, end);
    },
  };
}
