import type { HostProcess } from '../../base/process/host-process.ts';

/** A turn of the event loop that takes this long, in ms, is a stall. */
const STALL = 20;

/**
 * Notices that this process was busy with something else, so that the data it reads now may have waited in the buffer.
 * It asks the engine only when there was a gap since the last look, so a peer that is busy with calls does not pay for
 * it.
 */
export class StallWatch {
  #lookedAt = -Infinity;
  readonly #process: Pick<HostProcess, 'busy'>;
  #last: number;

  constructor(process: Pick<HostProcess, 'busy'>) {
    this.#process = process;
    this.#last = process.busy();
  }

  /** @param now on any clock, in ms */
  stalled(now: number): boolean {
    const gap = now - this.#lookedAt;
    this.#lookedAt = now;
    if (gap < STALL) return false;
    const before = this.#last;
    this.#last = this.#process.busy();
    return this.#last - before > STALL;
  }
}
