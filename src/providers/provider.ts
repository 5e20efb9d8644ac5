import type { Address } from '../transport/address.ts';
import type { HintTags } from './hint-tags.ts';
import type { Hint } from './hint.ts';

/** What this peer says of itself to its providers. One without addresses must not be announced: it only looks. */
export interface Announcement extends Hint {
  /**
   * Which secret it has: peers that announce another one are of another world. It is made of the secret, so somebody
   * who reads it can try passphrases against it; it goes only where whoever reads it may read the secret, too. A function,
   * so that no log or inspector comes upon it.
   */
  world: () => string;
  /** What makes and checks the tags of hints; absent where the secret is no made one. */
  tags?: HintTags | undefined;
}

/** Hints with a wrong tag: how many, and where the last of them led to, by the id of the peer that they name. */
export type DroppedHints = ReadonlyMap<string, { count: number; address: Address }>;

/** A source of hints, and a place to leave one's own. */
export interface Provider {
  readonly name: string;
  /** Announces this peer and starts to look for others. Rejects when that is impossible here. */
  start(self: Announcement, listener: ProviderListener): Promise<void>;
  /** The hint led to no peer. `refused`: nobody listens at any of its addresses. */
  failed(hint: Hint, refused: boolean): void;
  /** Somebody answered at the address of a hint without an id: a peer, or this peer itself. */
  answered?(hint: Hint): void;
  /** Another peer said where these are. Only of the provider that keeps such hints. */
  tell?(hints: readonly Hint[]): void;
  /** What is announced under this id already, perhaps by somebody who is dead. Asked before `start`. */
  announced?(id: string): Promise<Hint | undefined>;
  /** Takes the announcement back and stops looking. Never rejects. */
  stop(): Promise<void>;
  /** The same in the last moment of a process, without waiting for anything. */
  stopNow(): void;
}

export interface ProviderListener {
  /** A new peer, or other addresses or another incarnation of one that was told of. */
  found(hint: Hint): void;
  /**
   * The peer took its announcement back, or it expired.
   * @param key see `keyOf`
   */
  lost(key: string, incarnation: string): void;
  /** Others can find what this peer says of itself. Only of the provider that a starting peer waits for. */
  announced?(): void;
  /** Everything that was there at the start has been told. */
  scanned(): void;
  /** Hints with a wrong tag were dropped since this was last said, by the id of the peer that they name. */
  dropped?(hints: DroppedHints): void;
  /** Why this provider cannot do all its work at present; undefined once it can. It goes on trying. */
  degraded(reason: Error | undefined): void;
}
