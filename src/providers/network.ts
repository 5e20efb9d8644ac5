import type { Clock } from '../base/clock.ts';
import type { Provider } from './provider.ts';
import type { Transport } from '../transport/transport.ts';

/** What a peer is connected to: a way to reach others, and ways to find them. */
export interface Network {
  /** Called once by each peer that starts. */
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
  /** The secret that the peers of this network share when no other is given. */
  secret(): Promise<string>;
}
