import type { FunctionWork, PeerInfo } from '../presence/set/peer-info.ts';
import type { PeerMetrics } from '../presence/set/peer-metrics.ts';
import type { PeerWatch } from '../presence/set/peer-watch.ts';
import { userInfo } from 'node:os';

import type { AnyActor } from 'xstate';

import type { CallerRef } from '../calls/caller/caller.ts';
import type { DispatcherRef } from '../calls/callee/dispatcher.ts';
import type { EventsRef } from '../events/events.ts';
import type { Clock } from '../base/time/clock.ts';
import type { HostProcess } from '../base/process/host-process.ts';
import { registrationOf } from '../calls/callee/registry.ts';
import type { Registration } from '../calls/callee/registry.ts';
import { DEFAULT_TAGS } from '../base/tag.ts';
import { libraryVersion } from '../base/version.ts';
import { VERSIONS } from '../wire/frames.ts';
import type { Description } from '../wire/frames.ts';

/**
 * The functions that every peer has, called like any other: `net.info`, `net.metrics`, `net.ping`, `net.passThrough` and
 * `net.watch`. A peer does not list them among its `functions`, since every peer has them.
 */

/** The facts about a peer that its default functions tell. */
export interface PeerSource {
  readonly id: string;
  readonly clock: Clock;
  readonly process: HostProcess;
  /** The description that it gives in a handshake. */
  describe(): Description;
  /** The number of other peers that it is connected to. */
  peers(): number;
  counters(): PeerInfo['counters'];
  metrics(): PeerMetrics;
  /** @throws TypeError for wrong options */
  watch(options: unknown): AsyncGenerator<PeerWatch, void, void>;
  /** Its functions that are limited, or run in threads. */
  work(): FunctionWork[];
}

/** The live counters of a peer's actors. */
export function countersOf({ system }: AnyActor): PeerInfo['counters'] {
  const caller = (system.get('caller') as CallerRef).getSnapshot().context;
  const dispatcher = (system.get('dispatcher') as DispatcherRef).getSnapshot().context;
  const events = (system.get('events') as EventsRef).getSnapshot().context;
  return { caller: { ...caller }, dispatcher: { ...dispatcher }, events: { ...events } };
}

export function defaultFunctions(source: PeerSource): ReadonlyMap<string, Registration> {
  const { id, clock } = source;
  const start = clock.now();
  const info = async (): Promise<PeerInfo> => {
    const loop = await source.process.load();
    return {
      id,
      ...source.describe(),
      user: userName(),
      versions: { 'app-net': libraryVersion(), node: process.versions.node, protocol: [...VERSIONS] },
      uptime: Math.round(clock.now() - start),
      time: Date.now(),
      peers: source.peers(),
      counters: source.counters(),
      work: source.work(),
      loop,
      memory: source.process.memory(),
    };
  };
  const metrics = (): PeerMetrics => source.metrics();
  const ping = (): null => null;
  const passThrough = (...args: unknown[]): unknown[] => args;
  const watch = async function* watch(options?: unknown): AsyncGenerator<PeerWatch, void, void> {
    yield* source.watch(options);
  };
  const registrations = Object.entries({ info, metrics, ping, passThrough, watch }).map(([name, run]) => {
    const tag = DEFAULT_TAGS[name as keyof typeof DEFAULT_TAGS];
    return [tag, registrationOf({ tag, fn: run, self: undefined, place: undefined, bare: true })] as const;
  });
  return new Map(registrations);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // Containers often run as a user that has no entry in the system's list.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
