/** What somebody said last about a peer that is doubted. */
export interface Word {
  /** Who says it, by id. */
  readonly by: string;
  /** Whoever speaks counts its words: an old one that comes late, by another way, says nothing. */
  readonly turn: number;
  /** Whether it has a link to the peer, or has lost it. */
  readonly holds: boolean;
  /** When this peer heard it. */
  readonly at: number;
}

/** A doubt whether a peer lives, in its present version. */
export class Doubt {
  readonly #words = new Map<string, Word>();
  readonly since: number;
  /** Since when the judgement waits for a word of the condemned. */
  condemnedAt: number | undefined;
  /** Since when it cannot be decided, though nobody has a link to it. */
  stuckAt: number | undefined;
  /** How many have lost it. */
  accusers = 0;

  constructor(now: number) {
    this.since = now;
  }

  words(): Iterable<Word> {
    return this.#words.values();
  }

  by(id: string): Word | undefined {
    return this.#words.get(id);
  }

  /** The ids of those that have lost it. */
  accusing(): string[] {
    return [...this.#words.values()].flatMap(({ by, holds }) => (holds ? [] : by));
  }

  /** How many have said that they have a link to it. */
  get holders(): number {
    return this.#words.size - this.accusers;
  }

  /** False when it is no news. */
  add(word: Word): boolean {
    const last = this.#words.get(word.by);
    if (last && last.turn >= word.turn) return false;
    if (last && !last.holds) this.accusers -= 1;
    if (!word.holds) this.accusers += 1;
    this.#words.set(word.by, word);
    return true;
  }
}
