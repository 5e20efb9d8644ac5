import type { PeerLoad, RemotePeer } from '../presence/set/remote-peer.ts';
import { jitter } from './retry.ts';

interface Rest {
  /** On the clock, in ms. */
  until: number;
  /** Calls in a row that it refused. */
  count: number;
}

/**
 * Chooses the peer for the next call: it picks two peers at random and takes the less busy one. That is nearly as even as
 * comparing all peers, and not every caller runs to the one that was idle a moment ago. If the call would have to wait
 * there, as far as is known, all peers are compared.
 */
export class Balance {
  readonly #random: () => number;
  readonly #now: () => number;
  /** Peers that refused a call a moment ago. A peer that refuses at once looks idle, and would attract all calls. */
  readonly #resting = new Map<RemotePeer, Rest>();

  constructor({ random, now }: { random: () => number; now: () => number }) {
    this.#random = random;
    this.#now = now;
  }

  /** One of `peers`; undefined when there are none. A resting peer is chosen only if there is no other. */
  choose(peers: readonly RemotePeer[], tag: string): RemotePeer | undefined {
    const awake = this.awake(peers);
    const from = awake.length > 0 ? awake : peers;
    const { length } = from;
    if (length < 2) return from[0];
    const first = this.#index(length);
    // A different peer than the first: its number is left out, and the numbers above it move down by one.
    const second = (first + 1 + this.#index(length - 1)) % length;
    const [one, other] = [from[first]!, from[second]!];
    const better = lessBusy(one, other, tag);
    const isBusy = (): boolean => isFull(loadBeside(better, better === one ? other : one, tag));
    return length > 2 && isBusy() ? this.#leastBusy(from, tag) : better;
  }

  /** Begins anywhere, so that of peers that are equal each is chosen as often. */
  #leastBusy(peers: readonly RemotePeer[], tag: string): RemotePeer {
    const begin = this.#index(peers.length);
    let best = peers[begin]!;
    for (let step = 1; step < peers.length; step += 1) {
      best = lessBusy(best, peers[(begin + step) % peers.length]!, tag);
    }
    return best;
  }

  /** The peers that are not resting. */
  awake(peers: readonly RemotePeer[]): readonly RemotePeer[] {
    if (this.#resting.size === 0) return peers;
    const now = this.#now();
    return peers.filter((peer) => (this.#resting.get(peer)?.until ?? 0) <= now);
  }

  /** When the first resting peer is awake again, on the clock; Infinity when none rests. */
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

  /** The peer refused a call, and gets no calls for a while. */
  rest(peer: RemotePeer): void {
    const count = this.#resting.get(peer)?.count ?? 0;
    this.#forgetOld();
    this.#resting.set(peer, { until: this.#now() + jitter(count, this.#random), count: count + 1 });
  }

  /** The peer accepted a call. */
  took(peer: RemotePeer): void {
    if (this.#resting.size > 0) this.#resting.delete(peer);
  }

  /** Removes peers that have left or were not called since. */
  #forgetOld(): void {
    const old = this.#now() - FORGET;
    for (const [peer, { until }] of this.#resting) if (until < old) this.#resting.delete(peer);
  }

  /** `random` may be the user's function, and may return 1. */
  #index(length: number): number {
    return Math.min(length - 1, Math.floor(this.#random() * length));
  }
}

function isFull({ calls, limit }: PeerLoad): boolean {
  return calls >= limit;
}

/** Calls for each place where one can run. A function without a limit has one place. */
function busyness({ calls, limit }: PeerLoad): number {
  if (limit === 0) return Infinity;
  return limit === Infinity ? calls : calls / limit;
}

/** One place, less a little: if all are full, a peer that is known to run calls is chosen first. */
const UNTOLD = 0.99;

/**
 * A peer tells its limit after its first call. If the function has a limit at another peer, this one has one, too, most likely, and
 * may have just started: until it has told, it counts as having room for one call.
 */
function loadBeside(peer: RemotePeer, other: RemotePeer, tag: string): PeerLoad {
  const load = peer.loadFor(tag);
  return load.limit === Infinity && other.loadFor(tag).limit < Infinity ? { ...load, limit: UNTOLD } : load;
}

/** The one where a call of this function would begin sooner, as far as is known. */
export function lessBusy(one: RemotePeer, other: RemotePeer, tag: string): RemotePeer {
  const [first, second] = [loadBeside(one, other, tag), loadBeside(other, one, tag)];
  const [firstFull, secondFull] = [isFull(first), isFull(second)];
  if (firstFull !== secondFull) return firstFull ? other : one;
  return busyness(second) < busyness(first) ? other : one;
}

/** A peer that rested counts as any other after this time, in ms. */
const FORGET = 10_000;
