import type { Balance } from './balance.ts';
import type { RemotePeer } from '../presence/remote-peer.ts';

/** The places for inputs at the peers that take part in one `map`. */
export class MapSlots {
  /** The peers that take part. A peer that has left may still finish inputs. */
  peers: readonly RemotePeer[] = [];
  /** Inputs that peers work on. */
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

  /** The peer for the next input: of those with a free place, the one with the fewest inputs. */
  free(): RemotePeer | undefined {
    let best: RemotePeer | undefined;
    let fewest = this.#each;
    for (const peer of this.#balance.awake(this.peers)) {
      const count = this.#taken.get(peer) ?? 0;
      // Equal numbers of inputs: this process's other calls to the peer decide.
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
