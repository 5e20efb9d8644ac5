import { availableParallelism } from 'node:os';
import type { ResourceLimits } from 'node:worker_threads';

import { milliseconds, refuseUnknown, whole } from '../base/option-checks.ts';

/** The options of `connect` about threads. */
export interface ThreadOptions {
  threads?: number | 'auto' | undefined;
  kill?: number | undefined;
  resourceLimits?: ResourceLimits | undefined;
}

/** How a function runs in threads. */
export interface ThreadSettings {
  threads: number;
  /** Calls that a thread runs at the same time. */
  places: number;
  /** Calls that may wait. */
  queue: number;
  kill: number;
  resourceLimits: ResourceLimits | undefined;
}

const MOST_THREADS = 256;

const KILL = 500;

const QUEUE = 1_024;

const RESOURCES: Record<keyof ResourceLimits, true> = {
  maxYoungGenerationSizeMb: true,
  maxOldGenerationSizeMb: true,
  codeRangeSizeMb: true,
  stackSizeMb: true,
};

/**
 * @param limit the options `concurrency` and `queue`. The default of `concurrency` is one call for each thread
 * @returns undefined for a function that runs in this thread
 * @throws TypeError
 */
export function readThreadOptions(
  { threads, kill, resourceLimits }: ThreadOptions,
  limit: { concurrency: number | undefined; queue: number } | undefined,
): ThreadSettings | undefined {
  if (threads === undefined) {
    const alone = Object.entries({ kill, resourceLimits }).find(([, value]) => value !== undefined);
    if (alone)
      throw new TypeError(
        `${alone[0]}: this is an option of threads; give threads, too: { threads: 'auto' }`,
      );
    return undefined;
  }
  if (threads !== 'auto' && typeof threads !== 'number')
    throw new TypeError("threads: give a whole number, from 1 to 256, or 'auto'");
  const given = threads === 'auto' ? Math.max(1, availableParallelism() - 1) : threads;
  const most = whole('threads', given, 1, 1, MOST_THREADS);
  const calls = limit?.concurrency ?? most;
  if (resourceLimits !== undefined) refuseUnknown('limit', resourceLimits, RESOURCES);
  for (const [name, value] of Object.entries(resourceLimits ?? {})) {
    if (typeof value !== 'number' || !(value > 0))
      throw new TypeError(`resourceLimits.${name}: give a number of MiB, above 0`);
  }
  return {
    threads: Math.min(most, calls),
    places: Math.min(Math.ceil(calls / most), MOST_PLACES),
    queue: limit?.queue ?? QUEUE,
    kill: milliseconds('kill', kill, KILL),
    resourceLimits,
  };
}

/** Calls that a thread runs at the same time, at most: it needs a slot for each. */
const MOST_PLACES = 512;
