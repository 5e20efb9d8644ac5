import type { ActorLogic, ActorRefFrom } from 'xstate';

import type { Log } from '../../base/log.ts';
import { contained } from '../../base/contained.ts';
import type { Remedy } from '../../base/contained.ts';
import type { LiveSnapshot } from '../../base/process/live-snapshot.ts';
import type { CallerMessage } from './messages.ts';
import { OutgoingCalls } from './outgoing-calls.ts';
import type { CallerInput } from './messages.ts';
import type { CallerCounters } from '../../presence/set/peer-info.ts';

/** The actor that knows every call that this peer has made and that has not settled. */

export type CallerLogic = ActorLogic<LiveSnapshot<CallerCounters>, CallerMessage, undefined>;
export type CallerRef = ActorRefFrom<CallerLogic>;

/** The logic of one caller actor. Its state is kept outside the snapshot, which exists only to be read. */
export function createCallerLogic(input: CallerInput & { log: Log }): CallerLogic {
  const caller = new OutgoingCalls(input);
  const logic: CallerLogic = {
    getInitialSnapshot: ({ self }) => {
      caller.wake = () => self.send({ type: 'deadline.passed' });
      caller.wantLink = (record) => self.system.get('discovery')?.send({ type: 'link.wanted', record });
      caller.cancel = (call, reason) => self.send({ type: 'call.cancel', call, reason });
      return caller.snapshot;
    },
    getPersistedSnapshot: (snapshot) => snapshot,
    transition: (snapshot, message) => {
      caller.receive(message);
      return snapshot;
    },
  };
  return contained(logic, remedyOf(caller, input.log));
}

/** After an unexpected error, the call fails or the connection ends. */
function remedyOf(caller: OutgoingCalls, log: Log): Remedy<CallerMessage> {
  return (error, message) => {
    if ('link' in message && message.type !== 'call.send') {
      message.link.fail(error);
      return;
    }
    const call = message.type === 'call.send' ? message : 'call' in message ? message.call : undefined;
    log.unforeseen(call ? 'in a call' : 'in the calls to others', error);
    if (!call || call.settled) return;
    const text = 'an unexpected error occurred in this process; see the cause';
    caller.fail(call, call.link ? 'CONNECTION_LOST' : 'NOT_SENT', text, { retriable: false, cause: error });
  };
}
