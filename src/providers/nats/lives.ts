import { createHash } from 'node:crypto';

import type { Life } from '../../transport/nats/opening.ts';
import type { Hello } from './hello.ts';

/** How many versions of lives that are over are remembered. */
const MOST_OVER = 4_096;

interface Known extends Hello {
  /** Its place on the ring. */
  readonly place: string;
}

/** The peers that have announced themselves, in the order of a ring. */
export class Lives {
  /** By incarnation. */
  readonly #known = new Map<string, Known>();
  /** The last version of each life, by incarnation; also of lives that are over. */
  readonly #versions = new Map<string, number>();
  #ring: readonly (Life & { place: string })[] | undefined;

  get size(): number {
    return this.#known.size;
  }

  has({ incarnation }: Life): boolean {
    return this.#known.has(incarnation);
  }

  /** @returns false for an announcement that was heard before: somebody repeats it */
  note(hello: Hello): boolean {
    const { incarnation, version } = hello;
    const last = this.#versions.get(incarnation);
    if (last !== undefined && version <= last) return false;
    this.#versions.delete(incarnation);
    this.#versions.set(incarnation, version);
    const [oldest] = this.#versions.keys();
    if (this.#versions.size > MOST_OVER + this.#known.size) this.#versions.delete(oldest!);
    const known = this.#known.get(incarnation);
    this.#known.set(incarnation, { ...hello, place: known?.place ?? placeOf(hello) });
    // Its place does not move.
    if (!known) this.#ring = undefined;
    return true;
  }

  /** @returns whether it was known */
  forget({ incarnation }: Life): boolean {
    const wasKnown = this.#known.delete(incarnation);
    if (wasKnown) this.#ring = undefined;
    return wasKnown;
  }

  /** Another life of the same peer, if there is one. */
  other({ id, incarnation }: Life): Hello | undefined {
    for (const each of this.#known.values())
      if (each.id === id && each.incarnation !== incarnation) return each;
    return undefined;
  }

  /** The life with this connection to a server. */
  connectedAs(server: string, client: number): Life | undefined {
    for (const each of this.#known.values())
      if (each.client === client && each.server === server) return each;
    return undefined;
  }

  /** The next lives on the ring after this one. Every life is among the next ones of as many others. */
  after(self: Life, count: number): Life[] {
    this.#ring ??= [...this.#known.values()].toSorted((a, b) => (a.place < b.place ? -1 : 1));
    const ring = this.#ring;
    const own = placeOf(self);
    let first = ring.findIndex(({ place }) => place > own);
    if (first < 0) first = 0;
    return Array.from(
      { length: Math.min(count, ring.length) },
      (_, index) => ring[(first + index) % ring.length]!,
    );
  }
}

function placeOf({ id, incarnation }: Life): string {
  return createHash('sha256').update(`${id}\n${incarnation}`).digest('base64url');
}
