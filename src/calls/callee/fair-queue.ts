/**
 * Items that wait for their turn. Owners take turns, so that an owner with a thousand items does not delay the first item of
 * another owner. The items of one owner stay in order.
 */
export class FairQueue<Item> {
  size = 0;
  /** The owner that is next comes first. */
  readonly #items = new Map<object, Item[]>();

  push(owner: object, item: Item): void {
    const items = this.#items.get(owner);
    if (items) items.push(item);
    else this.#items.set(owner, [item]);
    this.size += 1;
  }

  /** Puts an item back that was taken, before the others of its owner. */
  putBack(owner: object, item: Item): void {
    const items = this.#items.get(owner);
    if (items) items.unshift(item);
    else this.#items.set(owner, [item]);
    this.size += 1;
  }

  /** The next item; undefined when there is none. */
  take(): Item | undefined {
    const [first] = this.#items;
    if (!first) return undefined;
    const [owner, items] = first;
    this.size -= 1;
    const item = items.shift();
    // The only owner stays where it is: a Map that is filled and emptied for each item makes much garbage.
    if (items.length > 0 && this.#items.size === 1) return item;
    this.#items.delete(owner);
    if (items.length > 0) this.#items.set(owner, items);
    return item;
  }

  peek(): Item | undefined {
    for (const [first] of this.#items.values()) return first;
    return undefined;
  }

  all(): Item[] {
    return [...this.#items.values()].flat();
  }

  /** @returns whether it was there */
  remove(owner: object, item: Item): boolean {
    const items = this.#items.get(owner);
    const at = items?.indexOf(item) ?? -1;
    if (!items || at < 0) return false;
    this.size -= 1;
    items.splice(at, 1);
    if (items.length === 0) this.#items.delete(owner);
    return true;
  }
}
