/**
 * Items that wait for their turn. Owners take turns, so that an owner with a thousand items does not delay the first item of
 * another owner. The items of one owner stay in order.
 */
export class FairQueue<Item> {
  size = 0;
  /**
   * The owner that is next comes first. A single owner stays when its last item is taken: a Map that is filled and emptied for each
   * item makes much garbage.
   */
  readonly #lines = new Map<object, Line<Item>>();

  push(owner: object, item: Item): void {
    this.#lineOf(owner).push(item);
    this.size += 1;
  }

  /** Puts an item back that was taken, before the others of its owner. */
  putBack(owner: object, item: Item): void {
    this.#lineOf(owner).putBack(item);
    this.size += 1;
  }

  /** The next item; undefined when there is none. */
  take(): Item | undefined {
    if (this.size === 0) return undefined;
    this.size -= 1;
    for (const [owner, line] of this.#lines) {
      const item = line.take();
      if (this.#lines.size === 1) return item;
      this.#lines.delete(owner);
      if (line.size > 0) this.#lines.set(owner, line);
      return item;
    }
    return undefined;
  }

  peek(): Item | undefined {
    if (this.size === 0) return undefined;
    for (const line of this.#lines.values()) return line.peek();
    return undefined;
  }

  all(): Item[] {
    return [...this.#lines.values()].flatMap((line) => line.all());
  }

  /** @returns whether it was there */
  remove(owner: object, item: Item): boolean {
    const line = this.#lines.get(owner);
    if (!line?.remove(item)) return false;
    this.size -= 1;
    if (line.size === 0) this.#lines.delete(owner);
    return true;
  }

  #lineOf(owner: object): Line<Item> {
    const known = this.#lines.get(owner);
    if (known) return known;
    if (this.size === 0) this.#lines.clear();
    const line = new Line<Item>();
    this.#lines.set(owner, line);
    return line;
  }
}

/** Taken items that may stay in the list as empty places. */
const SLACK = 256;

/** The items of one owner. It does not use `shift`, which moves all others. */
class Line<Item> {
  #items: (Item | undefined)[] = [];
  #first = 0;

  get size(): number {
    return this.#items.length - this.#first;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  putBack(item: Item): void {
    if (this.#first === 0) {
      this.#items.unshift(item);
    } else {
      this.#first -= 1;
      this.#items[this.#first] = item;
    }
  }

  peek(): Item | undefined {
    return this.#items[this.#first];
  }

  take(): Item | undefined {
    const items = this.#items;
    const item = items[this.#first];
    items[this.#first] = undefined;
    this.#first += 1;
    if (this.#first === items.length) {
      items.length = 0;
      this.#first = 0;
    } else if (this.#first > SLACK && this.#first * 2 > items.length) {
      this.#items = items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  all(): Item[] {
    return this.#items.slice(this.#first) as Item[];
  }

  remove(item: Item): boolean {
    const at = this.#items.indexOf(item, this.#first);
    if (at < 0) return false;
    this.#items.splice(at, 1);
    return true;
  }
}
