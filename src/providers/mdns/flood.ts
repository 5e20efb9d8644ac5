import type { Clock } from '../../base/time/clock.ts';

/**
 * Limits how many incoming packets are read: a few thousand at once, and then so many per second that a flood costs a few percent
 * of a processor. One sender may send less than all together, so that one cannot silence the others.
 */

/** Packets of one sender, at once and per second. A host with a hundred peers that start together sends a few hundred. */
const OF_ONE = { burst: 1_000, rate: 200 };

/** Packets of all senders together. */
const OF_ALL = { burst: 2_000, rate: 1_000 };

/** Senders that are counted apart. If there are more, the one heard longest ago is forgotten. */
const MOST_SENDERS = 512;

/**
 * A packet of this many bytes counts once, and one twice as large counts four times: names can be made to point at each other
 * such that the work to read them grows with the square. Only a few of the largest packets pass per second; no honest sender
 * needs them.
 */
const WEIGHT = 512;

export class FloodGate {
  readonly #clock: Clock;
  readonly #all: Bucket;
  /** By sender, in the order in which they were last heard. */
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

/** How much a packet of this many bytes takes from a bucket. */
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
