/**
 * The rings on which peers find their neighbours. Each ring orders all ids in an order of its own that nobody can choose;
 * everybody who knows the same ids computes the same neighbours, and a join or a leave moves a few of them only.
 */

/** Where an id stands on each ring: numbers from 0 up, one a ring, the same for whoever computes them. */
export type Places = (id: string) => readonly number[];

interface Entry {
  readonly id: string;
  /** One a ring. */
  readonly places: readonly number[];
}

/** Ids in the order of several rings. */
export class Rings {
  readonly #places: Places;
  /** Sorted by place, then id. */
  readonly #rings: Entry[][];
  readonly #known = new Map<string, Entry>();
  /** Whose neighbours are asked for all the time, and who they are; undefined when that has to be computed anew. */
  readonly #self: string | undefined;
  #neighbours: ReadonlySet<string> | undefined;

  /**
   * @param count of rings, half the number of neighbours
   * @param self the peer itself, which stands on the rings from the beginning; undefined for a leaf, which never does
   */
  constructor(count: number, places: Places, self: string | undefined) {
    this.#places = places;
    this.#self = self;
    this.#rings = Array.from({ length: count }, () => []);
    if (self !== undefined) this.add(self);
  }

  /** The ids beside the peer itself. The same object as long as they are the same. */
  get neighbours(): ReadonlySet<string> {
    return (this.#neighbours ??= this.#self === undefined ? new Set() : this.beside(this.#self));
  }

  /** Whether everybody is everybody's neighbour: there are no more others than neighbours. */
  get isFull(): boolean {
    return this.#isFew(1, 1);
  }

  /** False when it was there already. */
  add(id: string): boolean {
    if (this.#known.has(id)) return false;
    const entry = { id, places: this.#places(id) };
    this.#known.set(id, entry);
    for (let index = 0; index < this.#rings.length; index += 1) {
      const ring = this.#rings[index]!;
      const at = position(ring, index, entry);
      ring.splice(at, 0, entry);
      this.#moved(ring, at);
    }
    return true;
  }

  /** False when it was not there. */
  remove(id: string): boolean {
    const entry = this.#known.get(id);
    if (!entry) return false;
    for (let index = 0; index < this.#rings.length; index += 1) {
      const ring = this.#rings[index]!;
      const at = position(ring, index, entry);
      this.#moved(ring, at);
      ring.splice(at, 1);
    }
    this.#known.delete(id);
    return true;
  }

  /**
   * The ids that stand beside this one on any ring, up to `reach` places away on either side; where it would stand, if it is not
   * there. Where there are no more others than neighbours anyway, all of them: chance would leave some out.
   */
  beside(id: string, reach = 1): Set<string> {
    const found = new Set<string>();
    const isThere = this.#known.has(id);
    if (this.#isFew(reach, isThere ? 1 : 0)) {
      for (const other of this.#known.keys()) if (other !== id) found.add(other);
      return found;
    }
    const entry = this.#known.get(id) ?? { id, places: this.#places(id) };
    for (let index = 0; index < this.#rings.length; index += 1) {
      const ring = this.#rings[index]!;
      const at = position(ring, index, entry);
      for (let step = 1; step <= reach; step += 1) {
        found.add(ring[(at + step - (isThere ? 0 : 1)) % ring.length]!.id);
        found.add(ring[(at - step + ring.length) % ring.length]!.id);
      }
    }
    found.delete(id);
    return found;
  }

  #isFew(reach: number, without: number): boolean {
    return this.#known.size - without <= this.#rings.length * 2 * reach;
  }

  /** An id came to this position, or goes from it: does it stand beside the peer itself? */
  #moved(ring: readonly Entry[], at: number): void {
    const { length } = ring;
    const isBeside =
      ring[(at + 1) % length]!.id === this.#self || ring[(at - 1 + length) % length]!.id === this.#self;
    // Two: this id may be the one that makes them too many, or few enough.
    if (isBeside || this.#isFew(1, 2)) this.#neighbours = undefined;
  }
}

/** Where the entry is on the ring of this index, or belongs. */
function position(ring: readonly Entry[], index: number, { id, places }: Entry): number {
  const place = places[index]!;
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = ring[middle]!;
    const otherPlace = other.places[index]!;
    if (otherPlace < place || (otherPlace === place && other.id < id)) low = middle + 1;
    else high = middle;
  }
  return low;
}
