import { whole } from '../base/option-checks.ts';
import { shared } from '../base/shared.ts';
import type { AnyFunction } from '../base/function-types.ts';
import { Turns } from '../calls/callee/turns.ts';

/** How many calls of a function may run here, and how many may wait. */
export interface Limit {
  /** Undefined: as many as there are threads. */
  concurrency: number | undefined;
  queue: number;
}

/** The most of anything that is counted, as with the limits of a peer. */
const MOST = 10_000_000;

const QUEUE = 1_024;

interface LimitOptions {
  concurrency?: number | undefined;
  queue?: number | undefined;
  threads?: unknown;
}

/** @throws TypeError */
export function readLimit({ concurrency, queue, threads }: LimitOptions): Limit | undefined {
  if (concurrency === undefined && queue === undefined) return undefined;
  if (concurrency === undefined && threads === undefined)
    throw new TypeError(
      'queue: calls wait only with a limit; give concurrency, too: { concurrency: 1, queue }',
    );
  return {
    concurrency: concurrency === undefined ? undefined : whole('concurrency', concurrency, 1, 1, MOST),
    queue: whole('queue', queue, QUEUE, 0, MOST),
  };
}

const turns = shared('turns.1', () => new WeakMap<AnyFunction, Turns>());

/**
 * The turns of a function. It has the same at all local peers, because the limit is one of this process. The limit that was said
 * last holds.
 */
export function turnsOf(fn: AnyFunction, limit: Limit | undefined): Turns | undefined {
  const known = turns.get(fn);
  if (limit?.concurrency === undefined) return known;
  if (!known) {
    const made = new Turns(limit.concurrency, limit.queue);
    turns.set(fn, made);
    return made;
  }
  known.most = limit.concurrency;
  known.queue = limit.queue;
  return known;
}
