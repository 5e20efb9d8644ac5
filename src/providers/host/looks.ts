import { unawaited } from '../../base/unforeseen.ts';

/**
 * Schedules checks of files: a few at a time, and never the same name twice at once, so that the last check counts. A watch can
 * report ten thousand files in a moment; opened all at once, they would use up every file descriptor.
 */

/** Fewer than the four threads in which Node waits for files: look-ups of names need them, too. */
const MOST_AT_ONCE = 3;

/** Names that may wait. The next scan of the directory finds those for which there is no room. */
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

  /** Resolves after a check that begins after this call. */
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

  /** Drops all waiting checks. */
  stop(): void {
    for (const { end } of this.#waiting.values()) end();
    this.#waiting.clear();
  }

  #begin(): void {
    for (const [name, wait] of this.#waiting) {
      if (this.#underWay.size >= MOST_AT_ONCE) return;
      // If a check of this name is running, try the next name.
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
