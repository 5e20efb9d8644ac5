import type { NetErrorCode, Ran } from '../base/errors.ts';
import { StreamWriter } from '../calls/streams/stream-writer.ts';
import { sizeOf } from '../wire/outgoing.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import { TooLarge } from '../wire/too-large.ts';
import { LONGEST_MESSAGE, encodeComplete, encodeNext, encodeThrown } from './codec/frames.ts';
import type { PageLink } from './link.ts';
import type { PageSource } from './source.ts';

/** The streams that a page sends. */

/** Why a value of the user's cannot be sent, from what the encoder threw. */
export function whyUnsendable(
  error: unknown,
  most: number,
  what: string,
): { code: NetErrorCode; why: string; cause: unknown } {
  // Whatever the user's code threw is a cause of one of these.
  if (error instanceof TooLarge) {
    const why = `${what} larger than ${most} bytes (limits.message of the receiver)`;
    return { code: 'TOO_LARGE', why, cause: undefined };
  }
  const { message, cause } = error as Error;
  return { code: 'NOT_SERIALIZABLE', why: message, cause };
}

/** Answers that a call, or with `arg` a stream, failed. */
export function refuse(
  link: PageLink,
  id: number,
  code: NetErrorCode,
  message: string,
  ran: Ran = 'no',
  arg?: number,
): void {
  const failure = { code, ran, message: message.slice(0, LONGEST_MESSAGE) };
  link.tell({ type: 'error', id, arg, failure });
}

/** Answers that a value which the page has made cannot be sent. */
export function refuseValue(link: PageLink, id: number, error: unknown, what: string, arg?: number): void {
  const { code, why } = whyUnsendable(error, link.limits.message, 'it is');
  refuse(link, id, code, `${what} cannot be sent: ${why}`, 'yes', arg);
}

/** How the owner of a stream goes with it. */
export interface StreamOwner {
  /** Sends the frame that ends the stream. @param encode throws for a value that cannot be sent */
  readonly last: (encode: () => Outgoing) => void;
  /** A value was sent. */
  readonly sent: () => void;
  /** Runs a step of the user's code in its context. */
  readonly run: <T>(step: () => T) => T;
}

/** Sends a stream. @param arg the place of an argument; undefined for the result of a call */
export function writeStream(
  link: PageLink,
  id: number,
  arg: number | undefined,
  source: PageSource,
  { last, sent, run }: StreamOwner,
): StreamWriter {
  const most = link.limits.message;
  return new StreamWriter(link, source, {
    next: (value) => {
      const frame = encodeNext(id, arg, value, most);
      link.send(frame);
      sent();
      return sizeOf(frame);
    },
    complete: (value) => {
      const frame = encodeComplete(id, arg, value, most);
      last(() => frame);
    },
    failed: (error) => last(() => encodeThrown(id, error, most, arg)),
    refused: (error) =>
      last(() => {
        throw error;
      }),
    run,
    // Nobody reads an argument that was ended from outside. A result is a call, which is answered in any case.
    ended: () => arg ?? last(() => encodeComplete(id, arg, undefined, most)),
  });
}

/** Sends an argument that is a stream. @param sent called after each value */
export function sendArgument(
  link: PageLink,
  id: number,
  arg: number,
  source: PageSource,
  sent: () => void,
): StreamWriter {
  const last = (encode: () => Outgoing): void => {
    try {
      link.send(encode());
    } catch (error) {
      refuseValue(link, id, error, `a value of args[${arg}]`, arg);
    }
  };
  return writeStream(link, id, arg, source, { last, sent, run: (step) => step() });
}
