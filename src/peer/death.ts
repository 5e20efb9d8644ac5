import type { AnyActor } from 'xstate';

import type { CallerRef } from '../calls/caller/caller.ts';
import { NetError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { messageOf } from '../base/text.ts';

/** The end of a peer through an unexpected error. */

/** The error that a peer died of; undefined for a peer that was stopped, or could not start. */
export function deathOf(peer: AnyActor, error: unknown): Error | undefined {
  const { status, context } = peer.getSnapshot() as {
    status: string;
    context: { died: boolean; error: unknown };
  };
  if (status !== 'error' && !context.died) return undefined;
  const cause = error ?? context.error;
  const what = messageOf(cause);
  return new Error(`this peer died of a bug of app-net, please report it: ${what}`, { cause });
}

/** The error that every call and wait fails with after the death. */
export function stoppedBy(death: Error): NetError {
  return new NetError('STOPPED', death.message, { cause: death });
}

/**
 * Settles the remaining calls, and throws an unhandled error in the process. Without its peer, the process may no
 * longer do what others, and its own other parts, expect of it. So by default it ends, with the error on stderr and
 * exit code 1, and a supervisor restarts it.
 */
export function tellOfDeath(peer: AnyActor, death: Error, log: Log): void {
  log.died(death.cause);
  // The caller actor still exists when the root of the actors itself died.
  const caller = peer.system.get('caller') as CallerRef | undefined;
  caller?.send({ type: 'caller.stop', reason: death.message, cause: death });
  // Everything that waits for the peer is told first: calls, `serve()`, iterators.
  setImmediate(() => {
    throw death;
  });
}
