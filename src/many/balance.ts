import type { RemotePeer } from '../presence/remote-peer.ts';
import { jitter } from './retry.ts';

interface Rest {
  /** On the clock, in ms. */
  until: number;
  /** Calls in a row that it did not take. */
  count: number;
}

/**
 * Which of several peers gets the next call: of two picked at random the one that has fewer of our calls. That is
 * nearly as even as asking all of them, and no herd runs to the one that was idle a moment ago.
 */
export class Balance {
  readonly #random: () => number;
  readonly #now: () => number;
  /** Peers that did not take a call a moment ago. One that refuses at once looks idle, and would draw all calls. */
  readonly #resting = new Map<RemotePeer, Rest>();

  constructor({ random, now }: { random: () => number; now: () => number }) {
    this.#random = random;
    this.#now = now;
  }

  /** One of `peers`; undefined when there are none. A resting one only if there is no other. */
  choose(peers: readonly RemotePeer[]): RemotePeer | undefined {
    const awake = this.awake(peers);
    const from = awake.length > 0 ? awake : peers;
    const { length } = from;
    if (length < 2) return from[0];
    const first = this.#index(length);
    // Another than the first: the numbers without it, closed up.
    const second = (first + 1 + this.#index(length - 1)) % length;
    const [one, other] = [from[first]!, from[second]!];
    return other.load < one.load ? other : one;
  }

  /** Those that are not resting. */
  awake(peers: readonly RemotePeer[]): readonly RemotePeer[] {
    if (this.#resting.size === 0) return peers;
    const now = this.#now();
    return peers.filter((peer) => (this.#resting.get(peer)?.until ?? 0) <= now);
  }

  /** When the first of them that rests is awake again, on the clock; Infinity when none rests. */
  nextAwake(peers: readonly RemotePeer[]): number {
    let next = Infinity;
    if (this.#resting.size === 0) return next;
    const now = this.#now();
    for (const peer of peers) {
      const until = this.#resting.get(peer)?.until ?? 0;
      if (until > now && until < next) next = until;
    }
    return next;
  }

  /** The peer did not take a call, and is spared for a while. */
  rest(peer: RemotePeer): void {
    const count = this.#resting.get(peer)?.count ?? 0;
    this.#forgetOld();
    this.#resting.set(peer, { until: this.#now() + jitter(count, this.#random), count: count + 1 });
  }

  /** The peer took a call. */
  took(peer: RemotePeer): void {
    if (this.#resting.size > 0) this.#resting.delete(peer);
  }

  /** Drops peers that left, or were not called since. */
  #forgetOld(): void {
    const old = this.#now() - FORGET;
    for (const [peer, { until }] of this.#resting) if (until < old) this.#resting.delete(peer);
  }

  /** `random` may be the user's, and return 1. */
  #index(length: number): number {
    return Math.min(length - 1, Math.floor(this.#random() * length));
  }
}

/** After this time a peer that rested counts as any other, in ms. */
const FORGET = 10_000;
