import { unawaited } from '../../base/unforeseen.ts';

/**
 * Has files looked at: a few at a time, and never one name twice at once, so that the last look is the one that counts.
 * A watch can tell of ten thousand files in a moment; opened all at once they would take every descriptor there is.
 */

/** Less than the four threads in which Node waits for files: name lookups need them, too. */
const MOST_AT_ONCE = 3;

/** Names that wait. The next look at the whole directory finds those that there is no room for. */
const MOST_WAITING = 16_384;

interface Wait {
  over: Promise<void>;
  end: () => void;
}

export class Looks {
  readonly #look: (name: string) => Promise<void>;
  readonly #waiting = new Map<string, Wait>();
  readonly #underWay = new Set<string>();

  /** @param look must not reject */
  constructor(look: (name: string) => Promise<void>) {
    this.#look = look;
  }

  /** Resolves when a look is over that begins after this call. */
  at(name: string): Promise<void> {
    const asked = this.#waiting.get(name);
    if (asked) return asked.over;
    if (this.#waiting.size >= MOST_WAITING) return Promise.resolve();
    let end = (): void => {};
    const over = new Promise<void>((resolve) => (end = resolve));
    this.#waiting.set(name, { over, end });
    this.#begin();
    return over;
  }

  /** Nothing that waits is looked at any more. */
  stop(): void {
    for (const { end } of this.#waiting.values()) end();
    this.#waiting.clear();
  }

  #begin(): void {
    for (const [name, wait] of this.#waiting) {
      if (this.#underWay.size >= MOST_AT_ONCE) return;
      // Of the few under way one may be of this name: then another can begin.
      if (!this.#underWay.has(name)) unawaited('with a file of the runtime directory', this.#do(name, wait));
    }
  }

  async #do(name: string, { end }: Wait): Promise<void> {
    this.#waiting.delete(name);
    this.#underWay.add(name);
    try {
      await this.#look(name);
    } finally {
      this.#underWay.delete(name);
      end();
      this.#begin();
    }
  }
}
