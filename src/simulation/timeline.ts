/** Whose event it is: events of a process that is dead never happen, and those of one that is frozen wait. */
export interface Owner {
  readonly isDead: boolean;
  readonly isFrozen: boolean;
  /** What became due while it was frozen. */
  readonly backlog: Entry[];
}

/** Something that happens at a time. */
export class Entry {
  due: number;
  /** Entries that are due at the same time happen in this order. */
  order: number;
  readonly owner: Owner;
  /** Input wakes a process after the timers that are due, as in Node's event loop. */
  readonly isInput: boolean;
  /** Undefined once it has happened or was cancelled. */
  run: (() => void) | undefined;

  constructor(due: number, order: number, owner: Owner, isInput: boolean, run: () => void) {
    this.due = due;
    this.order = order;
    this.owner = owner;
    this.isInput = isInput;
    this.run = run;
  }
}

/** Virtual time: one heap of everything that is going to happen. Times are in ms. */
export class Timeline {
  now = 0;
  readonly #heap: Entry[] = [];
  #order = 0;
  #cancelled = 0;

  /** @param time never before now */
  at(time: number, owner: Owner, run: () => void, isInput = false): Entry {
    this.#order += 1;
    const entry = new Entry(Math.max(time, this.now), this.#order, owner, isInput, run);
    this.#push(entry);
    return entry;
  }

  after(delay: number, owner: Owner, run: () => void, isInput = false): Entry {
    return this.at(this.now + delay, owner, run, isInput);
  }

  cancel(entry: Entry): void {
    if (!entry.run) return;
    entry.run = undefined;
    this.#cancelled += 1;
    if (this.#cancelled > 1_000 && this.#cancelled > this.#heap.length / 2) this.#compact();
  }

  /** Removes the next entry that can happen, and moves time to it. Undefined: nothing is left. */
  take(): Entry | undefined {
    for (;;) {
      const entry = this.#pop();
      if (!entry) return undefined;
      if (!entry.run) {
        this.#cancelled = Math.max(0, this.#cancelled - 1);
        continue;
      }
      this.now = entry.due;
      if (entry.owner.isDead) continue;
      if (!entry.owner.isFrozen) return entry;
      entry.owner.backlog.push(entry);
    }
  }

  /** What became due while the owner was frozen happens now: first the timers, then what arrived. */
  thaw({ backlog }: Owner): void {
    const late = backlog.splice(0);
    for (const isInput of [false, true]) {
      for (const entry of late) {
        if (entry.isInput !== isInput) continue;
        this.#order += 1;
        entry.due = this.now;
        entry.order = this.#order;
        this.#push(entry);
      }
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }

  #compact(): void {
    const kept = this.#heap.filter(({ run, owner }) => run && !owner.isDead);
    this.#heap.length = 0;
    this.#cancelled = 0;
    for (const entry of kept) this.#push(entry);
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
