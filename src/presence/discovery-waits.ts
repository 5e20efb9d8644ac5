import type { AnyActor } from 'xstate';

import type { DiscoveryContext } from './discovery-context.ts';
import type { PeerSet } from './set/peer-set.ts';

/** Waits for discovery at the start of a peer. */

/**
 * Resolves once other peers can find the peer. It also resolves if the peer stops, if it cannot be found here at
 * all, or if the time for the first search is over.
 */
export function announcedOnHost(discovery: AnyActor): Promise<void> {
  const isDone = (): boolean => {
    const { value, context } = discovery.getSnapshot() as { value: string; context: DiscoveryContext };
    return context.announcing === undefined || context.stopping || value === 'settled';
  };
  if (isDone()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      looks.unsubscribe();
      resolve();
    };
    const next = (): void => {
      if (isDone()) done();
    };
    const looks = discovery.subscribe({ next, error: done, complete: done });
  });
}

/** Resolves once the first search is over. Rejects if the peer stops earlier. */
export function searchIsOver(discovery: AnyActor, set: PeerSet): Promise<void> {
  return new Promise((resolve, reject) => {
    if (discovery.getSnapshot().value === 'settled') {
      resolve();
      return;
    }
    const settled = discovery.on('search.settled', () => {
      unsubscribe();
      settled.unsubscribe();
      resolve();
    });
    const unsubscribe = set.subscribe(() => {}, reject);
  });
}
