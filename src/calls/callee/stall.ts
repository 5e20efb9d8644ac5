import { performance } from 'node:perf_hooks';

/** So long a time of one turn of the event loop, in ms, is a stall. */
const STALL = 20;

/**
 * Notices that this process was busy with something else, so that what it reads now may have been lying there. Only a gap
 * since the last look leads to a question to the engine, so a busy peer does not pay for it.
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
