import { peerLine } from '../../base/text.ts';
import type { Call } from './call.ts';
import { sentOver, waitingFor } from './sent-calls.ts';
import { failWithNetError } from './call-failure.ts';
import type { Link, PeerRecord } from '../../connection/link.ts';

/** The calls whose deadline has passed, and when that of the next one does; Infinity when there is none. */
export function sweep(
  links: Iterable<Link>,
  queues: Iterable<PeerRecord>,
  now: number,
): { due: Call[]; next: number } {
  const due: Call[] = [];
  let next = Infinity;
  const look = (call: Call): void => {
    if (call.deadline <= now) due.push(call);
    else if (call.deadline < next) next = call.deadline;
  };
  for (const link of links) for (const call of sentOver(link).pending.values()) look(call);
  for (const record of queues) waitingFor(record).waiting().forEach(look);
  return { due, next };
}

/** @param sent whether it had been sent, and so may have run */
export function failExpired(call: Call, sent: boolean): void {
  const what = call.reader ? 'nothing more of the stream' : 'no answer';
  const text = `${what} from ${peerLine(call.record)} by the deadline`;
  failWithNetError(call, 'DEADLINE_EXCEEDED', sent ? text : `${text}: the call was not sent yet`, {
    ran: call.reader ? 'yes' : sent ? 'unknown' : 'no',
  });
}
