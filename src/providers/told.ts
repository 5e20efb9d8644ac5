import type { Clock } from '../base/clock.ts';
import type { Address } from '../transport/address.ts';
import { checked } from './hint-tags.ts';
import type { HintTags } from './hint-tags.ts';
import type { Announcement, Provider, ProviderListener } from './provider.ts';
import type { Hint } from './hint.ts';

export const TOLD = 'told';

/** Only this many hints are kept, the newest ones. */
const MOST_HINTS = 1_024;

/** A hint that fails for this long is dropped, in ms: the peer that sent it does not tell us when the hinted peer is gone. */
const PATIENCE = 5 * 60_000;

/** If two failures are further apart than this, in ms, the hint did not fail in between. */
const LONGEST_PAUSE = 120_000;

interface Told {
  hint: Hint;
  /** The first and the last failure since the hint was last known to be right, on the clock. */
  failing: { since: number; last: number } | undefined;
}

/** Keeps the hints that other peers send about the peers they know. */
export class ToldProvider implements Provider {
  readonly name = TOLD;
  readonly #clock: Clock;
  readonly #reachable: (address: Address) => boolean;
  /** By peer id, the newest last. */
  readonly #told = new Map<string, Told>();
  #listener: ProviderListener | undefined;
  #tags: HintTags | undefined;

  /** @param reachable whether this peer may dial an address */
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
      // Check even though the sender has proved that it knows the secret: it passes on hints of others.
      const hint = checked(reachable, this.#tags);
      if (!hint) {
        dropped.set(each.id, {
          count: (dropped.get(each.id)?.count ?? 0) + 1,
          address: reachable.addresses[0]!,
        });
        continue;
      }
      // A hint that may be a lie must not replace one that the owner signed.
      const known = this.#told.get(hint.id);
      if (hint.isAnybodys && known && !known.hint.isAnybodys) continue;
      this.#told.delete(hint.id);
      // A repeated hint means that some peer is connected to it right now, so forget the failures.
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
