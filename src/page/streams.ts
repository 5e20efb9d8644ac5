import type { NetErrorCode } from '../base/errors.ts';
import { StreamWriter } from '../calls/streams/stream-writer.ts';
import { sizeOf } from '../wire/outgoing.ts';
import { TooLarge } from '../wire/too-large.ts';
import { NotSerializable } from '../wire/values/not-serializable.ts';
import { encodeComplete, encodeFailure, encodeNext, encodeThrown } from './codec/frames.ts';
import type { PageLink } from './link.ts';
import type { PageSource } from './source.ts';

/** The streams that a page sends. */

/** Why a value of the user's cannot be sent, from what the encoder threw. */
export function whyUnsendable(
  error: unknown,
  most: number,
  what: string,
  reading: string,
): { code: NetErrorCode; why: string; cause: unknown } {
  if (TooLarge.is(error)) {
    const why = `${what} larger than the ${most} bytes that the receiver accepts (its limits.message)`;
    return { code: 'TOO_LARGE', why, cause: undefined };
  }
  const isOurs = NotSerializable.is(error);
  const why = isOurs ? error.message : `${reading} threw an error; see the cause`;
  // A getter of the user's that threw is the cause.
  return { code: 'NOT_SERIALIZABLE', why, cause: isOurs ? error.cause : error };
}

/** Sends an argument that is a stream. @param sent called after each value */
export function sendArgument(
  link: PageLink,
  id: number,
  arg: number,
  source: PageSource,
  sent: () => void,
): StreamWriter {
  const most = link.limits.message;
  return new StreamWriter(link, source, {
    next: (value) => {
      const frame = encodeNext(id, arg, value, most);
      link.send(frame);
      sent();
      return sizeOf(frame);
    },
    complete: (value) => link.send(encodeComplete(id, arg, value, most)),
    failed: (error) => link.send(encodeThrown(id, error, most, arg)),
    refused: (error) => {
      const { code, why } = whyUnsendable(error, most, 'it is', 'reading it');
      const message = `a value of args[${arg}] cannot be sent: ${why}`;
      link.send(encodeFailure(id, { code, ran: 'yes', message }, arg));
    },
    run: (step) => step(),
    ended: () => {},
  });
}
