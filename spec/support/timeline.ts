interface Happening {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Runs actions in virtual time, one after the other: the one that is due first, then the one that was added first. */
export class Timeline {
  now = 0;
  /** A binary heap: the next one is first. */
  readonly #ahead: Happening[] = [];
  #order = 0;

  later(delay: number, run: () => void): void {
    this.#order += 1;
    const heap = this.#ahead;
    const entry = { at: this.now + delay, order: this.#order, run };
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent]!, entry)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  run(time: number): void {
    const end = this.now + time;
    for (let next = this.#ahead[0]; next && next.at <= end; next = this.#ahead[0]) {
      this.#take();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  #take(): void {
    const heap = this.#ahead;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (isBefore(last, heap[child]!)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
