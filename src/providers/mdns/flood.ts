import type { Clock } from '../../base/clock.ts';

/**
 * How much of what comes in is looked at: a few thousand packets at once, and then so many a second that a flood costs
 * a few percent of a processor. What one sender may send is less than what all may, so that one cannot silence the others.
 */

/** Of one sender: at once, and per second. A host with a hundred peers that start together sends a few hundred. */
const OF_ONE = { burst: 1_000, rate: 200 };

/** Of all together. */
const OF_ALL = { burst: 2_000, rate: 1_000 };

/** That are told apart; with more of them, the one heard longest ago is forgotten. */
const MOST_SENDERS = 512;

/**
 * A packet of so many bytes counts once; one twice as large four times, for names that point at each other can be
 * made such that the work to read them grows with the square. The largest, which no honest sender needs, are a few a second.
 */
const WEIGHT = 512;

export class FloodGate {
  readonly #clock: Clock;
  readonly #all: Bucket;
  /** In the order in which they were last heard. */
  readonly #senders = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#all = new Bucket(OF_ALL, clock.now());
  }

  admits(sender: string, bytes: number): boolean {
    const now = this.#clock.now();
    const cost = costOf(bytes);
    const own = this.#senders.get(sender) ?? new Bucket(OF_ONE, now);
    this.#senders.delete(sender);
    this.#senders.set(sender, own);
    const [oldest] = this.#senders.keys();
    if (this.#senders.size > MOST_SENDERS) this.#senders.delete(oldest!);
    return own.take(cost, now) && this.#all.take(cost, now);
  }
}

/** What a packet of so many bytes takes of a bucket. */
export function costOf(bytes: number): number {
  return Math.ceil((bytes / WEIGHT) ** 2);
}

export class Bucket {
  readonly #burst: number;
  readonly #rate: number;
  #filled: number;
  #since: number;

  constructor({ burst, rate }: { burst: number; rate: number }, now: number) {
    this.#burst = burst;
    this.#rate = rate;
    this.#filled = burst;
    this.#since = now;
  }

  take(cost: number, now: number): boolean {
    this.#filled = Math.min(this.#burst, this.#filled + ((now - this.#since) * this.#rate) / 1_000);
    this.#since = now;
    if (this.#filled < cost) return false;
    this.#filled -= cost;
    return true;
  }
}
