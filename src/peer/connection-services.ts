import type { AnyActorRef } from 'xstate';

import type { CallerRef } from '../calls/caller/caller.ts';
import type { DispatcherRef } from '../calls/callee/dispatcher.ts';
import type { ConnectionServices } from '../connection/connection-context.ts';
import { LinkCounts } from '../connection/link/link-counts.ts';
import type { LivenessRef } from '../connection/liveness.ts';
import type { EventsRef } from '../events/events.ts';
import { whereabouts } from '../presence/candidates/candidate.ts';
import type { DiscoveryContext } from '../presence/discovery-context.ts';
import { isNeeded } from '../presence/idle-links.ts';
import type { Opened } from '../presence/messages.ts';
import type { Self } from '../wire/handshake/handshake.ts';
import type { Hosting } from './guests/hosting.ts';
import type { Settings } from './options/options.ts';

/** What all connections of a peer use. */
export function servicesOf(
  { settings, self, hosting }: { settings: Settings; self: Self; hosting: Hosting },
  { attachment, keys }: Opened,
  system: AnyActorRef['system'],
): ConnectionServices {
  const discovery = system.get('discovery') as AnyActorRef;
  const known = (): DiscoveryContext => (discovery.getSnapshot() as { context: DiscoveryContext }).context;
  return {
    probeTime: settings.ping,
    transport: attachment.transport,
    handshake: { self, keys, pass: settings.pass?.shown, clock: settings.clock },
    largestMessage: settings.limits.message,
    limits: settings.limits,
    counts: new LinkCounts(),
    guests: hosting.guests,
    log: settings.log,
    caller: system.get('caller') as CallerRef,
    dispatcher: system.get('dispatcher') as DispatcherRef,
    liveness: system.get('liveness') as LivenessRef,
    events: system.get('events') as EventsRef,
    discovery,
    recordOf: (id, incarnation) => {
      const record = known().carrier?.record(id);
      return record?.incarnation === incarnation ? record : undefined;
    },
    needs: (record) => isNeeded(known(), record),
    whereabouts: (id) => whereabouts(known().candidates, id),
  };
}
