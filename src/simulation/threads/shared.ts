/**
 * The memory that the threads of one simulation share: which seed is next, where the first failure is, and what each of them runs. Seeds
 * are named by their places in the list.
 */

const NEXT = 0;
const FAILED = 1;
const RUNNING = 2;

/** Before the first seed, and after the last. */
const NONE = -1;

export class Shared {
  readonly memory: Int32Array;

  constructor(memory: Int32Array) {
    this.memory = memory;
  }

  /** The place of the next seed that this worker has to run; undefined: there is none. What comes after a failure does not matter. */
  take(worker: number, count: number): number | undefined {
    const place = Atomics.add(this.memory, NEXT, 1);
    const isOver = place >= count || place > Atomics.load(this.memory, FAILED);
    Atomics.store(this.memory, RUNNING + worker, isOver ? NONE : place);
    return isOver ? undefined : place;
  }

  /** Nobody has to begin a seed after this one. */
  fail(place: number): void {
    for (;;) {
      const first = Atomics.load(this.memory, FAILED);
      if (first <= place || Atomics.compareExchange(this.memory, FAILED, first, place) === first) return;
    }
  }

  /** What the worker runs now; undefined: nothing. */
  running(worker: number): number | undefined {
    const place = Atomics.load(this.memory, RUNNING + worker);
    return place === NONE ? undefined : place;
  }
}

export function sharedBy(workers: number): Shared {
  const memory = new Int32Array(new SharedArrayBuffer(4 * (RUNNING + workers))).fill(NONE);
  memory[NEXT] = 0;
  memory[FAILED] = 0x7f_ff_ff_ff;
  return new Shared(memory);
}
