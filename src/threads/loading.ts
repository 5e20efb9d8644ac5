import type { Thread } from './thread.ts';

/** What a pool may expect of threads, some of which may still load their file. */

type Threads = ReadonlySet<Pick<Thread, 'ready' | 'load'>>;

/** Calls that run at the same time in the threads that have loaded their file. @param places of each thread */
export function readyPlaces(threads: Threads, places: number): number {
  let ready = 0;
  for (const thread of threads) if (thread.ready) ready += places;
  return ready;
}

/** Calls that the threads have, whether they run or wait. */
export function loadOf(threads: Threads): number {
  let sum = 0;
  for (const { load } of threads) sum += load;
  return sum;
}

/**
 * The thread in which most calls wait, and half of them. In a thread that still loads its file, all of its calls wait.
 * @returns undefined if no call waits in a thread
 */
export function mostWaiting(
  threads: ReadonlySet<Thread>,
  places: number,
): { thread: Thread; half: number } | undefined {
  let most: { thread: Thread; half: number } | undefined;
  for (const thread of threads) {
    const half = Math.ceil((thread.ready ? thread.load - places : thread.load) / 2);
    if (half > (most?.half ?? 0)) most = { thread, half };
  }
  return most;
}
