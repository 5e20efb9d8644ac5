import type { NetErrorCode, Ran } from '../base/errors.ts';
import { readableTag } from '../base/tag.ts';
import type { Call } from '../calls/caller/call.ts';
import { failCall, failWithNetError } from '../calls/caller/call-failure.ts';
import { watchSignals } from '../calls/caller/call-signals.ts';
import type { OutgoingCalls } from '../calls/caller/outgoing-calls.ts';
import { endArguments } from '../calls/streams/call-streams.ts';
import type { Job } from './job.ts';

/** How jobs fail, and how they wait. */

export function failJob(calls: OutgoingCalls, job: Job, code: NetErrorCode, text: string, ran: Ran): void {
  const { forwarded, house, call } = job;
  if (forwarded) {
    job.forget();
    house!.failed(forwarded, code, text, ran);
  } else if (call && !call.settled) {
    if (call.link) calls.fail(call, code, text, { ran });
    else
      failUnsent(calls, call, () =>
        failWithNetError(call, code, `${text} (${readableTag(job.tag)})`, { ran }),
      );
  }
}

/** @param loading the file that its thread has not loaded yet; undefined if the job waited for something else */
export function failUnbegun(
  calls: OutgoingCalls,
  job: Job,
  late: boolean,
  loading: string | undefined,
): void {
  const why = loading === undefined ? '' : `, because its thread has not loaded ${loading} yet`;
  const code = late ? 'DEADLINE_EXCEEDED' : 'CANCELLED';
  failJob(calls, job, code, `the call was cancelled before its function started${why}`, 'no');
}

/** Lets a call that is made here be cancelled while it waits. @param remove takes it out of the queue */
export function letWait(calls: OutgoingCalls, { call }: Job, remove: () => boolean): void {
  if (!call) return;
  calls.hold(call, true);
  const cancel = (reason: unknown): void => {
    if (remove()) failUnsent(calls, call, () => failCall(call, () => reason));
  };
  const aborted = call.signals && watchSignals(call, call.signals, (_, reason) => cancel(reason));
  if (aborted) cancel(aborted.reason);
}

function failUnsent(calls: OutgoingCalls, call: Call, fail: () => void): void {
  call.settled = true;
  call.release?.();
  calls.hold(call, false);
  if (call.given) endArguments(call, call.given);
  fail();
}
