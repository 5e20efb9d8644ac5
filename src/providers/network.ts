import type { Clock } from '../base/time/clock.ts';
import type { Provider } from './provider.ts';
import type { Address } from '../transport/address.ts';
import type { SecretKeys } from '../wire/handshake/secret.ts';
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
  incarnation: string;
  clock: Clock;
  /** From 0 to 1. */
  random: () => number;
  /** The keys of the user's secret, for a network that needs them. @param shared gives the secret if the user gave none */
  keys: (shared: () => Promise<string>) => Promise<SecretKeys>;
  /** Whether the user has a pass in place of the secret. */
  isGuest?: boolean;
  /** Whether the user is on another network as well. Then this one need not work from the beginning. */
  hasAnother?: boolean;
  /** Aborted when the user stops. Whatever the network still waits for is then of no use. */
  signal?: AbortSignal;
}

export interface Attachment {
  transport: Transport;
  providers: readonly Provider[];
  /** The secret that the peers of this network share, unless a peer is given another. */
  secret(): Promise<string>;
  /** Whether an address is one of this network. Absent: all that no other network has. */
  reaches?: (address: Address) => boolean;
  /** Call when the peer stops. Ends what the network has in the background, once nothing uses it any more. */
  close?(): Promise<void>;
}
