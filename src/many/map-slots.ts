import { lessBusy } from './balance.ts';
import type { Balance } from './balance.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';

/** The places for inputs at the peers that take part in one `map`. */
export class MapSlots {
  /** The peers that take part. A peer that has left may still finish inputs. */
  peers: readonly RemotePeer[] = [];
  /** Inputs that peers work on. */
  running = 0;
  readonly #balance: Balance;
  readonly #each: number;
  readonly #tag: string;
  readonly #taken = new Map<RemotePeer, number>();

  /** @param each how many inputs a peer works on at the same time */
  constructor(balance: Balance, each: number, tag: string) {
    this.#balance = balance;
    this.#tag = tag;
    this.#each = each;
  }

  /** How many inputs can run at the same time. */
  get size(): number {
    return this.#each * this.peers.length;
  }

  /** The peer for the next input: of those with a free place, the least busy one. */
  free(): RemotePeer | undefined {
    let best: RemotePeer | undefined;
    const awake = this.#balance.awake(this.peers);
    const isAnyReady = awake.some((peer) => this.#isReady(peer));
    for (const peer of awake) {
      const each = isAnyReady ? this.#placesBesideReady(peer) : this.#each;
      if ((this.#taken.get(peer) ?? 0) >= each) continue;
      best = best ? lessBusy(best, peer, this.#tag) : peer;
    }
    return best;
  }

  /**
   * Places at a peer, while another one is known to be ready: none where threads still load, and one where that is not known yet.
   * Inputs would wait there, and others are done sooner.
   */
  #placesBesideReady(peer: RemotePeer): number {
    const { limit } = peer.loadFor(this.#tag);
    if (limit === 0) return 0;
    return limit === Infinity ? 1 : this.#each;
  }

  /** Whether it is known to run calls of this `map`, or to have room for one. */
  #isReady(peer: RemotePeer): boolean {
    const { limit, calls } = peer.loadFor(this.#tag);
    return limit > 0 && limit < Infinity && (calls < limit || this.#taken.has(peer));
  }

  take(peer: RemotePeer): void {
    this.running += 1;
    this.#taken.set(peer, (this.#taken.get(peer) ?? 0) + 1);
  }

  release(peer: RemotePeer): void {
    this.running -= 1;
    const count = this.#taken.get(peer)! - 1;
    if (count > 0) this.#taken.set(peer, count);
    else this.#taken.delete(peer);
  }
}
