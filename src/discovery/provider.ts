import type { Address } from '../transport/transport.ts';

/** Where a peer may be found. Only a hint: whoever answers there still has to prove who they are. */
export interface Hint {
  id: string;
  incarnation: string;
  address: Address;
  /** Process id, when the peer is on this host. */
  pid?: number;
}

/** A source of hints, and a place to leave one's own. */
export interface Provider {
  readonly name: string;
  /** Announces this peer and starts to look for others. Rejects when that is impossible here. */
  start(self: Hint, listener: ProviderListener): Promise<void>;
  /** The hint led to no peer. `refused`: nobody listens at its address. */
  failed(hint: Hint, refused: boolean): void;
  /** Takes the announcement back and stops looking. Never rejects. */
  stop(): Promise<void>;
  /** The same in the last moment of a process, without waiting for anything. */
  stopNow(): void;
}

export interface ProviderListener {
  found(hint: Hint): void;
  /** The peer took its announcement back, or it expired. */
  lost(id: string, incarnation: string): void;
  /** Everything that was there at the start has been told. */
  scanned(): void;
}
