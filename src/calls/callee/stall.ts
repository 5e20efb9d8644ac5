import { performance } from 'node:perf_hooks';

/** A turn of the event loop that takes this long, in ms, is a stall. */
const STALL = 20;

/**
 * Notices that this process was busy with something else, so that the data it reads now may have waited in the buffer.
 * It asks the engine only when there was a gap since the last look, so a peer that is busy with calls does not pay for
 * it.
 */
export class StallWatch {
  #lookedAt = -Infinity;
  #last = performance.eventLoopUtilization();

  /** @param now on any clock, in ms */
  stalled(now: number): boolean {
    const gap = now - this.#lookedAt;
    this.#lookedAt = now;
    if (gap < STALL) return false;
    const before = this.#last;
    this.#last = performance.eventLoopUtilization();
    return this.#last.active - before.active > STALL;
  }
}
