import type { WatchedFunction } from '../../presence/set/peer-watch.ts';

/** Sums of calls, and percentiles of their buckets. `peer-watch.ts` describes the buckets. */

export const BUCKETS = 96;
const SHORTEST = 0.01;
const PER_DOUBLING = 4;

/** The upper end of a bucket, in ms. */
export function endOf(bucket: number): number {
  return SHORTEST * 2 ** ((bucket + 1) / PER_DOUBLING);
}

/** The bucket of a duration in ms, with its part that is passed. */
export function bucketAt(milliseconds: number): number {
  return Math.log2(milliseconds / SHORTEST) * PER_DOUBLING;
}

/** Calls of one function or of all, added up. */
export class Calls {
  ok = 0;
  failed = 0;
  readonly codes = new Map<string, number>();
  readonly times = new Float64Array(BUCKETS);
  #timed = 0;

  get count(): number {
    return this.ok + this.failed;
  }

  add({ ok, failed, times }: WatchedFunction): void {
    this.ok += ok;
    for (const [code, count] of Object.entries(failed)) {
      this.failed += count;
      this.codes.set(code, (this.codes.get(code) ?? 0) + count);
    }
    for (let at = 0; at + 1 < times.length; at += 2) {
      const bucket = times[at]!;
      if (!(bucket >= 0 && bucket < BUCKETS)) continue;
      this.times[bucket]! += times[at + 1]!;
      this.#timed += times[at + 1]!;
    }
  }

  /** Adds the durations of others. */
  addAll({ times }: Calls): void {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      this.times[bucket]! += times[bucket]!;
      this.#timed += times[bucket]!;
    }
  }

  /** The time that this share of the calls did not exceed, in ms; undefined without calls. It is the middle of its bucket. */
  percentile(share: number): number | undefined {
    if (this.#timed === 0) return undefined;
    const rank = share * this.#timed;
    let sum = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      sum += this.times[bucket]!;
      if (sum >= rank && sum > 0) return endOf(bucket - 0.5);
    }
    return undefined;
  }
}
