import { encodeFrame } from '../wire/codec.ts';
import { MOST_REVOKED } from '../wire/revoked-frame.ts';
import type { RevokedPass } from '../wire/revoked-frame.ts';
import type { Link } from './link/link.ts';

/** How many revoked passes are remembered. All of them are about 200 kB, which each new connection is told. */
const MOST = 4_096;

/** The longest time that a pass may be valid, in seconds. The clock of the peer that tells of it may be ahead. */
const LONGEST = 367 * 86_400;

/**
 * The passes that were taken back, here or by another peer that has the secret. Each is remembered until it would have expired. What
 * is new goes to all other peers that have the secret, and a new connection is told everything: so a revocation outlives the peer that
 * made it, and reaches peers that come later.
 */
export class RevokedPasses {
  /** When each of them expires, in seconds since 1970, by its name. */
  readonly #passes = new Map<string, number>();
  /** Links to peers that have the secret. */
  readonly #links = new Set<Link>();

  /** How many are remembered. */
  get size(): number {
    return this.#passes.size;
  }

  has(id: string): boolean {
    return this.#passes.has(id);
  }

  /** A peer that has the secret is connected. */
  opened(link: Link): void {
    this.#links.add(link);
    this.#sweep();
    tell(
      link,
      [...this.#passes].map(([id, exp]) => ({ id, exp })),
    );
  }

  closed(link: Link): void {
    this.#links.delete(link);
  }

  /**
   * Only what stays goes to others. Peers that remember as many as they can would otherwise tell each other without end of one that
   * each of them forgets at once.
   * @param from the link that told of them; undefined if this peer revokes them
   * @returns those that are new here
   */
  add(passes: readonly RevokedPass[], from?: Link): RevokedPass[] {
    this.#sweep();
    const now = Date.now() / 1_000;
    // One that was told with too early an end is remembered for longer.
    const isNews = ({ id, exp }: RevokedPass): boolean =>
      exp > now && exp < now + LONGEST && exp > (this.#passes.get(id) ?? 0);
    const fresh = passes.filter(isNews);
    for (const { id, exp } of fresh) this.#passes.set(id, exp);
    this.#forgetSurplus();
    const kept = fresh.filter(({ id, exp }) => this.#passes.get(id) === exp);
    for (const link of this.#links) if (link !== from) tell(link, kept);
    return fresh;
  }

  #sweep(): void {
    const now = Date.now() / 1_000;
    for (const [id, exp] of this.#passes) if (exp <= now) this.#passes.delete(id);
  }

  /** Those that expire first are forgotten first, and of two that expire together the one whose name is smaller: so it is at every peer. */
  #forgetSurplus(): void {
    const surplus = this.#passes.size - MOST;
    if (surplus <= 0) return;
    const byExpiry = [...this.#passes].toSorted(([one, a], [other, b]) => a - b || (one < other ? -1 : 1));
    for (const [id] of byExpiry.slice(0, surplus)) this.#passes.delete(id);
  }
}

function tell(link: Link, passes: readonly RevokedPass[]): void {
  for (let at = 0; at < passes.length; at += MOST_REVOKED)
    link.send(encodeFrame({ type: 'revoked', passes: passes.slice(at, at + MOST_REVOKED) }));
}
