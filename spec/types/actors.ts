import { waitFor } from 'xstate';
import type { AnyActor, AnyActorRef, InspectionEvent as XStateEvent } from 'xstate';

import { createPeer } from '../../src/index.ts';
import type { InspectionEvent, PeerActor } from '../../src/index.ts';

// Our own types of actors fit XState's, in both directions in which users need them.
declare const actor: AnyActor;
declare const event: XStateEvent;
declare const inspect: (event: XStateEvent) => void;
const peer = createPeer({ inspect });

actor satisfies PeerActor;
event satisfies InspectionEvent;
peer.actor satisfies AnyActorRef;
await waitFor(peer.actor, (snapshot) => snapshot.matches('online'));

peer.actor.getSnapshot().value satisfies string;
peer.actor.system.get('dispatcher').getSnapshot().context.running satisfies number;
peer.actor.subscribe(({ value }) => console.log(value)).unsubscribe();

createPeer({
  inspect: (seen) => {
    seen.actorRef.sessionId satisfies string;
    if (seen.type === '@xstate.action') seen.action.type satisfies string;
    else if (seen.type === '@xstate.snapshot') seen.snapshot.status satisfies string;
    // @ts-expect-error -- only some events have a snapshot
    else console.log(seen.snapshot);
  },
});
// @ts-expect-error -- there is no such member
console.log(peer.actor.snapshot);
// @ts-expect-error -- events have names
createPeer({ inspect: (name: string) => console.log(name) });
