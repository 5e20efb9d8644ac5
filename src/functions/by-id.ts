import { GivenStreams, orFailure } from '../calls/streams/given-streams.ts';
import { NO_OPTIONS } from '../presence/set/remote-peer.ts';
import { insideOuterCall } from '../calls/context.ts';
import { NetError } from '../base/errors.ts';
import { abortSignal, milliseconds } from '../base/option-checks.ts';
import { untilChange } from '../many/pool.ts';
import type { Pool } from '../many/pool.ts';
import type { CallOptions, RemotePeer } from '../presence/set/remote-peer.ts';
import { RemoteStream, asStream } from '../calls/streams/remote-stream.ts';

/** A peer to call that may not have been found yet. */
export type Callee = Pick<RemotePeer, 'call' | 'stream' | 'callUnknown'>;

/** The peer with this id. The first search may still find it. Calls go out from the first local peer that sees it. */
export function byId(id: string, pools: readonly Pool[]): Callee {
  const call = (
    tag: string,
    args: readonly unknown[] = [],
    options: CallOptions = NO_OPTIONS,
    plain?: () => void,
    lent?: GivenStreams,
  ): Promise<unknown> => {
    const pool = pools.find(({ source }) => source.get(id)) ?? pools[0]!;
    const peer = pool.source.get(id);
    if (peer) return peer.callWith(lent, tag, args, options, plain);
    return find(pool, id, { tag, args, options, plain, given: lent ?? GivenStreams.among(args, true) });
  };
  return {
    call,
    stream: (tag, args, options) => {
      const given = GivenStreams.among(args, true);
      return new RemoteStream(() => call(tag, args, options, undefined, given), given);
    },
    callUnknown: (tag, args, options, plain) => asStream(call(tag, args, options, plain)),
  };
}

interface SoughtCall {
  tag: string;
  args: readonly unknown[];
  options: CallOptions;
  plain: (() => void) | undefined;
  given: GivenStreams | undefined;
}

/** Waits for the peer, then calls it. The search uses up part of the call's deadline. */
async function find(pool: Pool, id: string, call: SoughtCall): Promise<unknown> {
  const { tag, args, options, plain, given } = call;
  const { source, clock } = pool;
  try {
    const own = {
      time: milliseconds('deadline', options.deadline, pool.deadline),
      signal: orFailure(abortSignal('signal', options.signal), given),
    };
    const { time, signal } = insideOuterCall(own);
    const end = clock.now() + time;
    while (!source.searched && !source.get(id)) {
      const left = end - clock.now();
      if (left <= 0) {
        const text = `the peer with the id ${JSON.stringify(id)} was not found before the deadline`;
        throw new NetError('DEADLINE_EXCEEDED', text, { ran: 'no', peer: id, tag });
      }
      await untilChange(pool, left, signal);
    }
    const peer = source.get(id);
    if (peer) {
      const rest = { deadline: Math.max(0, end - clock.now()), signal, meta: options.meta };
      return await peer.callWith(given, tag, args, rest, plain);
    }
    if (source.ended) throw source.ended;
    const text = `no peer has the id ${JSON.stringify(id)}; getPeers() lists the peers that are present`;
    throw new NetError('NOT_SENT', text, { peer: id, tag });
  } finally {
    given?.release();
  }
}
