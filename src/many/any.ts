import type { Candidates } from './candidates.ts';
import { NetError } from '../base/errors.ts';
import { pause, untilChange } from './pool.ts';
import { GivenStreams, orFailure } from '../calls/streams/given-streams.ts';
import { OK, endOf } from '../calls/call-end.ts';
import { attempt as asAttempt, beginAny } from '../calls/call-message.ts';
import type { AnyMessage, Attempted } from '../calls/call-message.ts';
import { insideOuterCall, outerCall } from '../calls/context.ts';
import type { CallOptions, RemotePeer } from '../presence/set/remote-peer.ts';
import type { CallMeta } from '../wire/beside.ts';
import { Attempts, jitter } from './retry.ts';

/** One call to any one of several peers. */

/**
 * How many peers are tried one right after the other before a pause. When all peers are overloaded, the retries must
 * not add to the load.
 */
const MOST_AT_ONCE = 3;

/**
 * Options of `any`.
 *
 * @example
 * await resize.any({ group: 'gpu' }, { wait: true, deadline: 5_000 })(image, 200);
 */
export interface AnyOptions extends CallOptions {
  /**
   * Whether to wait until the deadline for a peer that has the function, when there is none. Default: false; the call
   * fails with NO_SUCH_TAG once the first search is over.
   */
  wait?: boolean | undefined;
}

export interface AnyCall {
  candidates: Candidates;
  /** Whether the function may run twice without harm. */
  idempotent: boolean;
  /** How long all attempts together may take, in ms. */
  time: number;
  wait: boolean;
  signal: AbortSignal | undefined;
  meta?: CallMeta | undefined;
  /**
   * The function is known to return a stream. `time` is then how long its reader may wait, whenever the stream was
   * opened.
   */
  streams?: boolean;
}

/**
 * Calls the function on one of the candidates. After a failure that makes a repeat safe, it calls another peer, or the
 * same one later, all within one deadline. The call is done once a stream is open; after that its reader gets the
 * failures.
 * @param plain is called when the result has turned out not to be a stream
 * @param given the streams among the arguments; this function owns them until one of the calls sends them
 * @throws what the function threw, or the NetError of the last attempt
 */
export async function callAny(
  call: AnyCall,
  args: readonly unknown[],
  plain?: () => void,
  given = GivenStreams.among(args, true),
): Promise<unknown> {
  const { tag, pool } = call.candidates;
  const any = beginAny('any', pool.id, tag, outerCall()?.travels);
  const message = any?.message;
  if (!given) {
    const attempts = attempt(call, args, given, plain, any);
    return message ? told(message, attempts) : attempts;
  }
  try {
    const watched = { ...call, signal: orFailure(call.signal, given) };
    const attempts = attempt(watched, args, given, plain, any);
    return await (message ? told(message, attempts) : attempts);
  } finally {
    given.release();
  }
}

async function attempt(
  call: AnyCall,
  args: readonly unknown[],
  given: GivenStreams | undefined,
  plain: (() => void) | undefined,
  any: Attempted | undefined,
): Promise<unknown> {
  const { candidates, meta } = call;
  const { time, signal } = insideOuterCall(call);
  const { balance, clock, random } = candidates.pool;
  const end = clock.now() + time;
  const attempts = new Attempts(call.idempotent, given);
  /** Peers that failed since the last pause. */
  let tried = NOBODY;
  /** Peers that answered that they do not have the function, whatever they announced. */
  let without = NOBODY;
  let pauses = 0;
  for (let left = time; ; left = Math.max(0, end - clock.now())) {
    const there = others(candidates.list(), without);
    if (there.length === 0) {
      await somebody(candidates, attempts, { left, wait: call.wait, signal });
      continue;
    }
    const fresh = tried.size < MOST_AT_ONCE ? others(there, tried) : [];
    const peer = balance.choose(fresh, candidates.tag);
    if (!peer) {
      const delay = jitter(pauses, random);
      if (delay >= left) throw attempts.final(attempts.last);
      await pause(candidates.pool, delay, signal);
      pauses += 1;
      tried = NOBODY;
      continue;
    }
    try {
      const options = { deadline: call.streams ? time : left, signal, meta };
      const make = (): Promise<unknown> => peer.callWith(given, candidates.tag, args, options, plain);
      const value = await (any ? asAttempt(any, make) : make());
      balance.took(peer);
      return value;
    } catch (error) {
      if (signal?.aborted || !attempts.mayRepeat(error)) throw attempts.final(error);
      tried = new Set([...tried, peer]);
      if (error.code === 'NO_SUCH_TAG') without = new Set([...without, peer]);
      else balance.rest(peer);
    }
  }
}

/** Tells how it ended. */
async function told(message: AnyMessage, attempts: Promise<unknown>): Promise<unknown> {
  try {
    const value = await attempts;
    message.succeeded(OK);
    return value;
  } catch (error) {
    message.finish(endOf(error));
    throw error;
  }
}

/** Shared, because most calls are made once and need no set of their own. */
const NOBODY: ReadonlySet<RemotePeer> = new Set();

function others(peers: RemotePeer[], without: ReadonlySet<RemotePeer>): RemotePeer[] {
  return without.size === 0 ? peers : peers.filter((peer) => !without.has(peer));
}

/**
 * Waits until a peer with the function may be present.
 * @throws when it is known that no peer has the function, or when the deadline has passed
 */
async function somebody(
  candidates: Candidates,
  attempts: Attempts,
  { left, wait, signal }: { left: number; wait: boolean; signal: AbortSignal | undefined },
): Promise<void> {
  if (candidates.searched && !wait) throw attempts.last ? attempts.final(attempts.last) : candidates.nobody();
  if (left > 0) {
    await untilChange(candidates.pool, left, signal);
    return;
  }
  const cause = attempts.last ?? candidates.nobody();
  const text = `no peer had the function before the deadline: ${cause.message}`;
  throw attempts.final(new NetError('DEADLINE_EXCEEDED', text, { ran: 'no', tag: candidates.tag, cause }));
}
