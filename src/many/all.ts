import { GivenStreams } from '../calls/streams/given-streams.ts';
import type { Candidates } from './candidates.ts';
import { insideOuterCall } from '../calls/context.ts';
import { NetError } from '../base/errors.ts';
import { untilChange } from './pool.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import type { CallMeta } from '../wire/beside.ts';
import { ResultQueue } from './results.ts';
import { whenAborted } from '../base/time/when-aborted.ts';

/** One call to every peer that has the function. */

/**
 * The result of the call to one peer: `value` if it succeeded, `reason` if it failed.
 *
 * @example
 * for await (const result of resize.all()(image, 200)) {
 *   if (result.status === 'fulfilled') console.log(result.peer.name, result.value);
 *   else console.log(result.peer.name, result.reason);
 * }
 */
export type PeerResult<Value> =
  | { readonly peer: RemotePeer; readonly status: 'fulfilled'; readonly value: Value }
  | { readonly peer: RemotePeer; readonly status: 'rejected'; readonly reason: unknown };

export interface AllCall {
  candidates: Candidates;
  /** How long each call may take, in ms. */
  time: number;
  signal: AbortSignal | undefined;
  meta?: CallMeta | undefined;
}

/**
 * The calls go out at once, or when the first search is over, whether or not anybody reads the results. Leaving the
 * loop cancels the calls that are not answered.
 */
export function callAll(call: AllCall, args: readonly unknown[]): ResultQueue<PeerResult<unknown>> {
  const given = GivenStreams.among(args);
  if (given) {
    given.end();
    throw new TypeError(
      'all: an argument is a stream, and only one peer can read a stream; use on(peer) or any()',
    );
  }
  const { candidates, meta } = call;
  const { time, signal } = insideOuterCall(call);
  const { tag, pool } = candidates;
  const deadline = pool.clock.now() + time;
  const left = (): number => Math.max(0, deadline - pool.clock.now());
  const leave = new AbortController();

  let unwatch: (() => void) | undefined;

  const results = new ResultQueue<PeerResult<unknown>>({
    left: () =>
      stop(new NetError('CANCELLED', 'the loop over the results ended before this result', { tag })),
  });
  const stop = (reason: unknown): void => {
    unwatch?.();
    leave.abort(reason);
  };
  const fail = (error: unknown): void => {
    results.clear();
    results.fail(error);
    stop(error);
  };

  const send = (): void => {
    const peers = candidates.list();
    let open = peers.length;
    const end = (): void => {
      if (open > 0) return;
      unwatch?.();
      results.end();
    };
    const answered = (result: PeerResult<unknown>): void => {
      results.push(result);
      open -= 1;
      end();
    };
    end();
    for (const peer of peers) {
      peer.call(tag, args, { deadline: left(), signal: leave.signal, meta }).then(
        (value) => answered({ peer, status: 'fulfilled', value }),
        (reason: unknown) => answered({ peer, status: 'rejected', reason }),
      );
    }
  };
  const begin = async (): Promise<void> => {
    // No wait where none is needed: the arguments are then read before the caller can change them.
    while (!candidates.searched && left() > 0) await untilChange(pool, left(), leave.signal);
    send();
  };

  if (signal?.aborted) {
    fail(signal.reason);
  } else {
    unwatch = signal && whenAborted(signal, fail);
    begin().catch(fail);
  }
  return results;
}
