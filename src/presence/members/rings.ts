/**
 * The rings on which peers find their neighbours. Each ring orders all ids in an order of its own that nobody can choose;
 * everybody who knows the same ids computes the same neighbours, and a join or a leave moves a few of them only.
 */

/** Where an id stands on each ring: numbers from 0 up, one a ring, the same for whoever computes them. */
export type Places = (id: string) => readonly number[];

interface Entry {
  readonly id: string;
  readonly place: number;
}

/** Ids in the order of several rings. */
export class Rings {
  readonly #places: Places;
  /** Sorted by place, then id. */
  readonly #rings: Entry[][];
  readonly #known = new Map<string, readonly number[]>();

  /** @param count of rings, half the number of neighbours */
  constructor(count: number, places: Places) {
    this.#places = places;
    this.#rings = Array.from({ length: count }, () => []);
  }

  get size(): number {
    return this.#known.size;
  }

  /** Whether everybody is everybody's neighbour: there are no more others than neighbours. */
  get isFull(): boolean {
    return this.size - 1 <= this.#rings.length * 2;
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }

  /** False when it was there already. */
  add(id: string): boolean {
    if (this.#known.has(id)) return false;
    const places = this.#places(id);
    this.#known.set(id, places);
    for (const [index, ring] of this.#rings.entries()) {
      const place = places[index]!;
      ring.splice(position(ring, place, id), 0, { id, place });
    }
    return true;
  }

  /** False when it was not there. */
  remove(id: string): boolean {
    const places = this.#known.get(id);
    if (!places) return false;
    this.#known.delete(id);
    for (const [index, ring] of this.#rings.entries()) ring.splice(position(ring, places[index]!, id), 1);
    return true;
  }

  /**
   * The ids that stand beside this one on any ring, up to `reach` places away on either side. Where there are no more others than
   * neighbours anyway, all of them: chance would leave some out.
   */
  beside(id: string, reach = 1): Set<string> {
    const found = new Set<string>();
    const places = this.#known.get(id);
    if (!places) return found;
    const most = this.#rings.length * 2 * reach;
    if (this.size - 1 <= most) {
      for (const other of this.#known.keys()) if (other !== id) found.add(other);
      return found;
    }
    for (const [index, ring] of this.#rings.entries()) {
      const at = position(ring, places[index]!, id);
      for (let step = 1; step <= reach; step += 1) {
        found.add(ring[(at + step) % ring.length]!.id);
        found.add(ring[(at - step + ring.length) % ring.length]!.id);
      }
    }
    found.delete(id);
    return found;
  }
}

/** Where the id is, or belongs. */
function position(ring: readonly Entry[], place: number, id: string): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = ring[middle]!;
    if (entry.place < place || (entry.place === place && entry.id < id)) low = middle + 1;
    else high = middle;
  }
  return low;
}
