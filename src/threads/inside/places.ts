/** The calls that run in this thread: the counters of its runner. A function that ends makes room for the next one. */
export class Places {
  waiting = 0;
  settled = 0;
  readonly #freed: () => void;
  #running = 0;

  /** @param freed called when a function has ended that went on after its return */
  constructor(freed: () => void) {
    this.#freed = freed;
  }

  get running(): number {
    return this.#running;
  }

  set running(count: number) {
    const isFreed = count < this.#running;
    this.#running = count;
    if (isFreed) this.#freed();
  }
}
