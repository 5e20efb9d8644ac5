import type { AnyActor } from 'xstate';

import type { CallerRef } from '../calls/caller/caller.ts';
import { NetError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';

/** The end of a peer that nobody wanted. */

/** What a peer that has ended died of; undefined for one that was stopped, or could not start. */
export function deathOf(peer: AnyActor, error: unknown): Error | undefined {
  const { status, context } = peer.getSnapshot() as {
    status: string;
    context: { died: boolean; error: unknown };
  };
  if (status !== 'error' && !context.died) return undefined;
  const cause = error ?? context.error;
  const what = cause instanceof Error ? cause.message : String(cause);
  return new Error(`this peer died of a bug of app-net, please report it: ${what}`, { cause });
}

/** What everything fails with after it. */
export function stoppedBy(death: Error): NetError {
  return new NetError('STOPPED', death.message, { cause: death });
}

/**
 * Settles what is left of the calls, and tells the process by an unhandled error. Without a peer the process may not be what others, or its own other parts, take it for; so by default it
 * ends, with the error on stderr and exit code 1, and what restarts processes restarts it.
 */
export function tellOfDeath(peer: AnyActor, death: Error, log: Log): void {
  log.died(death.cause);
  // Still there when the root of the actors itself died.
  const caller = peer.system.get('caller') as CallerRef | undefined;
  caller?.send({ type: 'caller.stop', reason: death.message, cause: death });
  // After everything that waits for the peer was told: calls, `serve()`, iterators.
  setImmediate(() => {
    throw death;
  });
}
