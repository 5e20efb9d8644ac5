import { NetError } from '../errors.ts';
import type { NetErrorCode, Ran } from '../errors.ts';
import { encodeError, encodeFrame, encodeResult } from '../wire/codec.ts';
import { describeThrown } from '../wire/failure.ts';
import { NotSerializable } from '../wire/not-serializable.ts';
import { fits } from '../wire/outgoing.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import type { Link } from './link.ts';

/** Writes the answer to a request, whatever it has come to. */
export class Answers {
  /** Whether thrown errors are sent with their stack. */
  readonly stacks: boolean;

  constructor(stacks: boolean) {
    this.stacks = stacks;
  }

  succeed(link: Link, id: number, value: unknown): void {
    let answer: Outgoing;
    try {
      answer = encodeResult(id, value, this.stacks);
    } catch (error) {
      this.refuseValue(link, id, error);
      return;
    }
    this.#send(link, id, answer);
  }

  threw(link: Link, id: number, error: unknown): void {
    this.#send(link, id, encodeError(id, describeThrown(error, this), this.stacks));
  }

  /** What the function returned, or a value of its stream, cannot be sent. */
  refuseValue(link: Link, id: number, error: unknown): void {
    const text = `the function ran, but its result cannot be sent: ${messageOf(error)}`;
    this.refuse(link, id, refusalOf(error), text, 'yes');
  }

  refuse(link: Link, id: number, code: NetErrorCode, message: string, ran: Ran = 'no'): void {
    link.send(encodeFrame({ type: 'error', id, failure: { code, ran, message } }));
  }

  #send(link: Link, id: number, answer: Outgoing): void {
    try {
      checkFits(link, answer);
    } catch (error) {
      this.refuseValue(link, id, error);
      return;
    }
    link.send(answer);
  }
}

/** @throws NetError TOO_LARGE when the other side does not take so much */
export function checkFits(link: Link, frame: Outgoing): void {
  if (!fits(frame, link.limits.message)) {
    throw new NetError(
      'TOO_LARGE',
      `it is larger than the ${link.limits.message} bytes the other side takes`,
    );
  }
}

/** Why a value of the user's cannot be sent. */
export function refusalOf(error: unknown): NetErrorCode {
  if (error instanceof NotSerializable) return 'NOT_SERIALIZABLE';
  if (error instanceof NetError) return error.code;
  throw error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
