/** How long the rest may take, in ms. Connections are cut after a second, so this limit is for the unexpected. */
const LONGEST = 5_000;

/** Work that is still to end when the actors of a peer have ended: a server that closes, a start that was given up. */
export class Ending {
  readonly #work = new Set<Promise<unknown>>();

  /** Waits for the end of the work, whether it succeeds or fails. */
  add(work: Promise<unknown>): void {
    this.#work.add(work);
    work.then(
      () => this.#work.delete(work),
      () => this.#work.delete(work),
    );
  }

  /** Resolves when nothing is left: no socket, no server, no watcher, no timer. */
  async over(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<void>((resolve) => (timer = setTimeout(resolve, LONGEST)));
    await Promise.race([this.#rest(), overdue]);
    clearTimeout(timer);
    // A closed resource is gone at the end of a turn of the event loop, after its immediates.
    for (let turns = 0; turns < 2; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async #rest(): Promise<void> {
    // Each of them may begin something else that has to end.
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
