import type { AnyActor } from 'xstate';

import { refuseWhileLoading, threadHome } from '../base/process/thread-home.ts';
import type { Call } from '../calls/caller/call.ts';
import type { CallerRef } from '../calls/caller/caller.ts';
import type { PeerRecord } from '../connection/link/link.ts';
import { Connecting } from '../functions/connecting.ts';
import type { ConnectingInput } from '../functions/connecting.ts';
import { parityOf } from '../functions/parity.ts';
import type { PeerSet } from '../presence/set/peer-set.ts';
import type { Calling, RemotePeer } from '../presence/set/remote-peer.ts';
import { callsOut } from '../threads/inside/calls-out.ts';
import { serveInThread } from '../threads/inside/serve.ts';
import { ThreadPools } from '../threads/pools.ts';
import { recordOf } from '../threads/port-socket.ts';
import type { Settings } from './options/options.ts';

/** The threads of a peer, and what is different for a peer that is itself in one. */

/** @param peers the other peers, which functions in threads can call */
export function threadPoolsOf(settings: Settings, peers: PeerSet): ThreadPools {
  const { id, name, group, hub, hostname, clock, stacks, deadline, process } = settings;
  const own = { id, name, group, hub, guest: settings.pass !== undefined, pid: process.pid, host: hostname };
  const record = recordOf({ ...own, scope: 'host' });
  return new ThreadPools({ clock, stacks, deadline, peers, record });
}

/** @param calling makes the calls of functions that run in this thread, if it is one of a pool */
export function connectingOf(
  settings: Settings,
  input: Pick<ConnectingInput, 'registry' | 'pool' | 'threads'>,
  calling: () => Calling,
): Connecting {
  return new Connecting({
    ...{ ...input, parity: parityOf(settings) },
    serve: (home) => serveInThread(home, calling()),
  });
}

/** The actor that makes calls. A thread lets the main thread make them. */
export function callerOf({ system }: AnyActor): { send(call: Call): void } {
  const home = threadHome();
  return home ? callsOut(home) : (system.get('caller') as CallerRef);
}

/**
 * A peer in a thread does not start: it sees the peers that the process of the thread sees.
 * @throws Error while the file of the thread's functions is loaded
 */
export async function startInThread<P>(
  peer: P,
  set: PeerSet,
  remotePeer: (record: PeerRecord) => RemotePeer,
): Promise<P> {
  const home = threadHome()!;
  refuseWhileLoading(home);
  await callsOut(home).follow(set, remotePeer);
  return peer;
}
