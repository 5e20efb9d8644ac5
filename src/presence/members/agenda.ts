/** What is due when. The next entry is found at once; a change costs the logarithm of their number. Times are in ms. */
export class Agenda<Entry> {
  /** A binary heap: the entry that is due first is first. */
  readonly #heap: Entry[] = [];
  readonly #times: number[] = [];
  readonly #positions = new Map<Entry, number>();

  /** When the next entry is due: Infinity when there is none. */
  get next(): number {
    return this.#times[0] ?? Infinity;
  }

  /** When this entry is due: Infinity when it is not in the agenda. */
  at(entry: Entry): number {
    const position = this.#positions.get(entry);
    return position === undefined ? Infinity : this.#times[position]!;
  }

  /** Moves the entry to this time, whatever it was due at before. Infinity takes it out. */
  set(entry: Entry, at: number): void {
    if (at === Infinity) {
      this.delete(entry);
      return;
    }
    const position = this.#positions.get(entry) ?? this.#heap.length;
    this.#rise(this.#sink(position, entry, at), entry, at);
  }

  /** Moves the entry to this time unless it is due earlier anyway. */
  hasten(entry: Entry, at: number): void {
    if (at < this.at(entry)) this.set(entry, at);
  }

  delete(entry: Entry): void {
    const position = this.#positions.get(entry);
    if (position === undefined) return;
    this.#positions.delete(entry);
    const last = this.#heap.pop()!;
    const at = this.#times.pop()!;
    if (last !== entry) this.#rise(this.#sink(position, last, at), last, at);
  }

  /** Takes out the entry that is due first, if it is due by now. */
  take(now: number): Entry | undefined {
    if (this.next > now) return undefined;
    const entry = this.#heap[0]!;
    this.delete(entry);
    return entry;
  }

  entries(): Iterable<Entry> {
    return this.#heap;
  }

  /** Puts the entry at this position or below, and says where. */
  #sink(start: number, entry: Entry, at: number): number {
    let position = start;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && this.#times[child + 1]! < this.#times[child]!) child += 1;
      if (this.#times[child]! >= at) break;
      this.#put(position, this.#heap[child]!, this.#times[child]!);
      position = child;
    }
    this.#put(position, entry, at);
    return position;
  }

  #rise(start: number, entry: Entry, at: number): void {
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (this.#times[parent]! <= at) break;
      this.#put(position, this.#heap[parent]!, this.#times[parent]!);
      position = parent;
    }
    this.#put(position, entry, at);
  }

  #put(position: number, entry: Entry, at: number): void {
    this.#heap[position] = entry;
    this.#times[position] = at;
    this.#positions.set(entry, position);
  }
}
