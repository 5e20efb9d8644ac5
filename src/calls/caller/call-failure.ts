import { NetError, isNetErrorCode } from '../../base/errors.ts';
import type { NetErrorCode, NetErrorDetails } from '../../base/errors.ts';
import { reviveThrown } from '../../wire/values/failure.ts';
import { peerLine } from '../../base/peer-line.ts';
import type { ErrorFrame, ResultFrame } from '../../wire/frames.ts';
import { ownFrame } from '../../base/stack.ts';
import type { Call } from './call.ts';
import { NotSerializable } from '../../wire/values/not-serializable.ts';
import { TooLarge } from '../../wire/too-large.ts';
import type { LeaveReason } from '../../connection/link/evidence.ts';
import type { PeerRecord } from '../../connection/link/link.ts';
import { callBeyond } from '../../presence/beyond-pass.ts';
import type { Rights } from '../../wire/handshake/pass.ts';

/**
 * Fails a call with what `make` returns, thrown where the engine can still see which function awaits it.
 *
 * The local call site belongs into the stack, but taking a stack at every call costs more than the call. V8 can find
 * the waiting functions afterwards: it follows the chain of promises from the async function that is being resumed. So
 * the user's promise is resolved *with* such a function, which then makes the error. The function first waits two
 * ticks, the time that `resolve` needs to link the two promises. For a stream, the promise is that of the read that
 * meets the failure.
 */
export function failCall(call: Call, make: (site: string) => unknown): void {
  if (call.reader) call.reader.fail(() => throwLater(call, make));
  else call.resolve(throwLater(call, make));
}

const TICK = Promise.resolve();

async function throwLater(call: Call, make: (site: string) => unknown): Promise<never> {
  await TICK;
  await TICK;
  // A function may throw any value, and it is passed on as it is.
  // oxlint-disable-next-line only-throw-error
  throw make(call.site ?? callerFrames(throwLater));
}

/** Fails a call with a NetError whose stack is that of the local call. */
export function failWithNetError(
  call: Call,
  code: NetErrorCode,
  message: string,
  details: NetErrorDetails = {},
): void {
  failCall(call, (site) => {
    const error = new NetError(code, message, { peer: call.record.id, tag: call.tag, ...details });
    error.stack = `${error.name}: ${message}${site && `\n${site}`}`;
    return error;
  });
}

/** Why nothing can be sent to a peer that has left. */
export function leftMessage(record: PeerRecord, why: LeaveReason): string {
  return `${peerLine(record)} has left (${why}${silence(record)})`;
}

/** Why the request of a call cannot be sent, from what the encoder threw. @param most bytes that the peer accepts */
export function unsendable(
  { record }: Call,
  error: unknown,
  most: number,
): { code: NetErrorCode; text: string; details: NetErrorDetails } {
  if (TooLarge.is(error)) {
    const text = `the request is larger than the ${most} bytes that ${peerLine(record)} accepts (its limits.message)`;
    return { code: 'TOO_LARGE', text, details: {} };
  }
  const isOurs = NotSerializable.is(error);
  const text = isOurs ? error.message : 'reading the arguments threw an error; see the cause';
  // A getter of the user's that threw is the cause.
  const cause = isOurs ? error.cause : error;
  return { code: 'NOT_SERIALIZABLE', text, details: cause === undefined ? {} : { cause } };
}

/** Why nothing can be sent to a peer that others see. */
export function unreachableMessage(record: PeerRecord): string {
  return `no connection to ${peerLine(record)} could be opened${silence(record)}`;
}

/**
 * The message of a call that was sent and not answered.
 * @param isStream whether its stream has begun
 */
export function lostMessage(record: PeerRecord, isStream: boolean): string {
  const silent = silence(record);
  const before = isStream ? 'the stream ended' : 'it answered';
  if (silent === '') return `the connection to ${peerLine(record)} was lost before ${before}`;
  return `${peerLine(record)} did not answer, and was given up${silent}`;
}

/** What is known of a peer that was given up for its silence; empty for one that left in another way. */
function silence({ evidence, doubt }: PeerRecord): string {
  const { silent, redial } = evidence ?? doubt ?? {};
  if (silent === undefined || doubt?.hasClosed) return '';
  // A dial that is refused says that the process is gone. Without a dial it was not silent for long.
  if (redial === undefined || redial === 'refused') return '';
  const seconds = (silent / 1_000).toFixed(1);
  return `: silent for ${seconds} s; a function that blocks the event loop looks like this`;
}

/**
 * Settles a call with the frame that answers it.
 * @param rights of this peer, if it has a pass: whatever the pass does not allow is answered as if it did not exist
 */
export function settleWith(call: Call, frame: ResultFrame | ErrorFrame, rights: Rights | undefined): void {
  if (frame.type === 'result') {
    call.resolve(frame.value);
  } else if (frame.failure) {
    const { code, ran, message } = frame.failure;
    const beyond = code === 'NO_SUCH_TAG' ? callBeyond(rights, call.tag) : undefined;
    // A newer peer may have codes that are unknown here. Whether the function ran is told apart from the code.
    failWithNetError(call, isNetErrorCode(code) ? code : 'BAD_REQUEST', beyond ?? message, { ran });
  } else {
    failCall(call, (site) => reviveThrown(frame, call.record, site));
  }
}

/** The frames above `below`, without this library's own, in the form of `Error.stack`. */
export function callerFrames(below: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, below);
  const lines = String(holder.stack).split('\n').slice(1);
  return lines.filter((line) => !ownFrame(line)).join('\n');
}
