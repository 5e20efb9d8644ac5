import type { ActorLogic, ActorRefFrom } from 'xstate';

import type { LiveSnapshot } from './live-snapshot.ts';
import type { CallerMessage } from './messages.ts';
import { OutgoingCalls } from './outgoing-calls.ts';
import type { CallerCounters, CallerInput } from './outgoing-calls.ts';

export type { CallerCounters } from './outgoing-calls.ts';

/** The actor that knows every call this peer has made and not yet settled. */

export type CallerLogic = ActorLogic<LiveSnapshot<CallerCounters>, CallerMessage, undefined>;
export type CallerRef = ActorRefFrom<CallerLogic>;

/** The logic of one caller. Its state is here and not in the snapshot, which is only there to be read. */
export function createCallerLogic(input: CallerInput): CallerLogic {
  const caller = new OutgoingCalls(input);
  return {
    getInitialSnapshot: ({ self }) => {
      caller.wake = () => self.send({ type: 'deadline.passed' });
      caller.cancel = (call, reason) => self.send({ type: 'call.cancel', call, reason });
      return caller.snapshot;
    },
    getPersistedSnapshot: (snapshot) => snapshot,
    transition: (snapshot, message) => {
      caller.receive(message);
      return snapshot;
    },
  };
}
