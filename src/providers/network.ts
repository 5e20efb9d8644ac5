import type { Clock } from '../base/clock.ts';
import type { Provider } from './provider.ts';
import type { Transport } from '../transport/transport.ts';

/**
 * The network that a peer is on: a way to reach other peers, and ways to find them. Make one with `MemoryNetwork` and give it
 * to peers. Peers attach themselves; there is nothing for you to call.
 *
 * @example
 * const network: Network = new MemoryNetwork();
 * const peer = createPeer({ network });
 */
export interface Network {
  /**
   * Called once by each peer that starts.
   * @hidden
   */
  attach(peer: NetworkUser): Promise<Attachment> | Attachment;
}

export interface NetworkUser {
  id: string;
  clock: Clock;
  /** From 0 to 1. */
  random: () => number;
}

export interface Attachment {
  transport: Transport;
  providers: readonly Provider[];
  /** The secret that the peers of this network share, unless a peer is given another. */
  secret(): Promise<string>;
}
