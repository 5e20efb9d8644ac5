import type { Balance } from './balance.ts';
import type { RemotePeer } from '../presence/remote-peer.ts';

/** The places for inputs at the peers that take part in one `map`. */
export class MapSlots {
  /** Those who take part. One that has left may still be finishing. */
  peers: readonly RemotePeer[] = [];
  /** Inputs that somebody works on. */
  running = 0;
  readonly #balance: Balance;
  readonly #each: number;
  readonly #taken = new Map<RemotePeer, number>();

  /** @param each how many inputs a peer works on at the same time */
  constructor(balance: Balance, each: number) {
    this.#balance = balance;
    this.#each = each;
  }

  /** How many inputs can run at the same time. */
  get size(): number {
    return this.#each * this.peers.length;
  }

  /** Who gets the next input: the one with the fewest among those that can take one more. */
  free(): RemotePeer | undefined {
    let best: RemotePeer | undefined;
    let fewest = this.#each;
    for (const peer of this.#balance.awake(this.peers)) {
      const count = this.#taken.get(peer) ?? 0;
      // As busy with these inputs: what else goes there from here decides.
      if (count < fewest || (best && count === fewest && peer.load < best.load)) {
        best = peer;
        fewest = count;
      }
    }
    return best;
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
