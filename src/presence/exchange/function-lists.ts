import { createHash } from 'node:crypto';

/** Lists of functions by their digest: most peers of a fleet have the same list, and it is sent once. */

/** Lists that are kept although nobody here is known to have them now. */
const MOST_SPARE = 64;

/** Characters of a digest: 96 bits, base64url. */
const LENGTH = 16;

export class FunctionLists {
  /** The most recently used last. */
  readonly #lists = new Map<string, readonly string[]>();

  /** Keeps the list. @returns its digest */
  keep(tags: Iterable<string>): string {
    const list = [...tags];
    const digest = digestOf(list);
    this.#lists.delete(digest);
    this.#lists.set(digest, list);
    return digest;
  }

  has(digest: string): boolean {
    return this.#lists.has(digest);
  }

  get(digest: string): readonly string[] | undefined {
    return this.#lists.get(digest);
  }

  /** Forgets lists that nobody uses. @param used digests of all present peers */
  sweep(used: () => ReadonlySet<string>): void {
    if (this.#lists.size <= MOST_SPARE) return;
    const inUse = used();
    let spare = this.#lists.size - inUse.size - MOST_SPARE;
    for (const digest of this.#lists.keys()) {
      if (spare <= 0) return;
      if (inUse.has(digest)) continue;
      this.#lists.delete(digest);
      spare -= 1;
    }
  }
}

/** The same for the same tags in any order. */
export function digestOf(tags: readonly string[]): string {
  const hash = createHash('sha256');
  // A tag has no line break in it that JSON would not escape.
  for (const tag of tags.toSorted()) hash.update(JSON.stringify(tag)).update('\n');
  return hash.digest('base64url').slice(0, LENGTH);
}
