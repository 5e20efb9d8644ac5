import type { Address } from '../transport/address.ts';
import type { HintTags } from './hint-tags.ts';
import type { Hint } from './hint.ts';

/** How this peer describes itself to its providers. Do not announce a peer without addresses: it only searches. */
export interface Announcement extends Hint {
  /**
   * Identifies the secret: peers with another value are of another world. It is derived from the secret, so a reader of it can
   * try passphrases against it. Write it only to places whose readers may also read the secret. It is a function, so that a log
   * or inspector does not find it.
   */
  world: () => string;
  /** Makes and checks the tags of hints. Absent if the secret is not a generated one. */
  tags?: HintTags | undefined;
  /** Whether it has a pass in place of the secret. Then it cannot check tags, and reads hints that have them as if they had none. */
  isGuest?: boolean;
}

/** Hints with a wrong tag, by the id of the peer that they name: how many, and the address in the last one. */
export type DroppedHints = ReadonlyMap<string, { count: number; address: Address }>;

/** A source of hints, and a place to announce oneself. */
export interface Provider {
  readonly name: string;
  /** Announces this peer and starts to search for others. Rejects if that is impossible here. */
  start(self: Announcement, listener: ProviderListener): Promise<void>;
  /** Call when a hint led to no peer. `refused`: nobody listens at any of its addresses. */
  failed(hint: Hint, refused: boolean): void;
  /** Call when a peer is to be dialled that is only named. Its hint is then found, or its name is lost. */
  wanted?(id: string): void;
  /** Call when somebody answered at the address of a hint without an id: a peer, or this peer itself. */
  answered?(hint: Hint): void;
  /** The announcement that already exists under this id, perhaps of a dead peer. Called before `start`. */
  announced?(id: string): Promise<Hint | undefined>;
  /** Withdraws the announcement and stops searching. Never rejects. */
  stop(): Promise<void>;
  /** The same at the exit of the process, without waiting for anything. */
  stopNow(): void;
}

export interface ProviderListener {
  /** There is a new peer, or a known peer has other addresses or another incarnation. */
  found(hint: Hint): void;
  /** There is an announcement of this peer, which is read only if it is wanted. */
  named?(id: string): void;
  /**
   * The announcement of the peer was withdrawn, or expired.
   * @param key see `keyOf`
   * @param incarnation empty if the peer is only named
   */
  lost(key: string, incarnation: string): void;
  /** Others can now find this peer's announcement. Only the provider that a starting peer waits for calls it. */
  announced?(): void;
  /** Everything that was there at the start has been reported. */
  scanned(): void;
  /** Hints with a wrong tag were dropped since the last call. */
  dropped?(hints: DroppedHints): void;
  /** The reason why this provider does not fully work at present; undefined once it does. It keeps trying. */
  degraded(reason: Error | undefined): void;
}

/** The name of this provider in discovery. */
export const HOST = 'host';

/** The name of the one for peers at a NATS broker. */
export const NATS = 'nats';
