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
    for (const peer of this.#balance.awake(this.peers)) {
      if ((this.#taken.get(peer) ?? 0) >= this.#each) continue;
      best = best ? lessBusy(best, peer, this.#tag) : peer;
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
