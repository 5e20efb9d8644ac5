import type { Clock } from '../base/clock.ts';
import type { Address } from '../transport/address.ts';
import { checked } from './hint-tags.ts';
import type { HintTags } from './hint-tags.ts';
import type { Announcement, Provider, ProviderListener } from './provider.ts';
import type { Hint } from './hint.ts';

export const TOLD = 'told';

/** Hints that are kept, the newest. */
const MOST_HINTS = 1_024;

/** Who told us does not tell us again when the peer is gone; so a hint that leads nowhere for so long is dropped, in ms. */
const PATIENCE = 5 * 60_000;

/** Two failures further apart than this have a time between them in which it did not fail, in ms. */
const LONGEST_PAUSE = 120_000;

interface Told {
  hint: Hint;
  /** The first of the failures since it was last known to be right, and the last of them; on the clock. */
  failing: { since: number; last: number } | undefined;
}

/** What other peers have told of those they know. */
export class ToldProvider implements Provider {
  readonly name = TOLD;
  readonly #clock: Clock;
  readonly #reachable: (address: Address) => boolean;
  /** By peer id, the newest last. */
  readonly #told = new Map<string, Told>();
  #listener: ProviderListener | undefined;
  #tags: HintTags | undefined;

  /** @param reachable whether this peer goes to an address at all */
  constructor(clock: Clock, reachable: (address: Address) => boolean) {
    this.#clock = clock;
    this.#reachable = reachable;
  }

  start({ tags }: Pick<Announcement, 'tags'>, listener: ProviderListener): Promise<void> {
    this.#listener = listener;
    this.#tags = tags;
    listener.scanned();
    return Promise.resolve();
  }

  tell(hints: readonly Hint[]): void {
    const dropped = new Map<string, { count: number; address: Address }>();
    for (const each of hints) {
      const reachable = { ...each, addresses: each.addresses.filter((address) => this.#reachable(address)) };
      if (reachable.addresses.length === 0) continue;
      // The teller has proved that it knows the secret, but passes on what it was told itself.
      const hint = checked(reachable, this.#tags);
      if (!hint) {
        dropped.set(each.id, {
          count: (dropped.get(each.id)?.count ?? 0) + 1,
          address: reachable.addresses[0]!,
        });
        continue;
      }
      // Somebody who may be lying does not take the place of what its owner said.
      const known = this.#told.get(hint.id);
      if (hint.isAnybodys && known && !known.hint.isAnybodys) continue;
      this.#told.delete(hint.id);
      // Told once more means that somebody is connected to it at this moment.
      this.#told.set(hint.id, { hint, failing: undefined });
      const [oldest] = this.#told.values();
      if (oldest && this.#told.size > MOST_HINTS) this.#drop(oldest.hint);
      this.#listener?.found(hint);
    }
    if (dropped.size > 0) this.#listener?.dropped?.(dropped);
  }

  failed({ id, incarnation }: Hint): void {
    const told = this.#told.get(id);
    if (told?.hint.incarnation !== incarnation) return;
    const now = this.#clock.now();
    const goesOn = told.failing && now - told.failing.last < LONGEST_PAUSE;
    told.failing = { since: goesOn ? told.failing!.since : now, last: now };
    if (now - told.failing.since > PATIENCE) this.#drop(told.hint);
  }

  stop(): Promise<void> {
    this.stopNow();
    return Promise.resolve();
  }

  stopNow(): void {
    this.#listener = undefined;
    this.#told.clear();
  }

  #drop({ id, incarnation }: Hint): void {
    this.#told.delete(id);
    this.#listener?.lost(id, incarnation);
  }
}
