import { peerLine } from '../../base/peer-line.ts';
import type { Call } from './call.ts';
import { sentOver, waitingFor } from './sent-calls.ts';
import { failWithNetError } from './call-failure.ts';
import type { Link, PeerRecord } from '../../connection/link/link.ts';

/** Finds the calls whose deadline has passed, and the time of the next deadline; Infinity when there is none. */
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
  const what = call.reader ? 'sent nothing more of the stream' : 'did not answer';
  const text = `${peerLine(call.record)} ${what} before the deadline`;
  failWithNetError(call, 'DEADLINE_EXCEEDED', sent ? text : `${text}; the call had not been sent yet`, {
    ran: call.reader ? 'yes' : sent ? 'unknown' : 'no',
  });
}
