import { NetError } from '../errors.ts';
import type { NetErrorCode, Ran } from '../errors.ts';
import { encodeError, encodeFailure, encodeResult } from '../wire/codec.ts';
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
    link.send(errorThatFits(link, id, error, this.stacks));
  }

  /** What the function returned, or a value of its stream, cannot be sent. */
  refuseValue(link: Link, id: number, error: unknown): void {
    const text = `the function ran, but its result cannot be sent: ${messageOf(error)}`;
    this.refuse(link, id, refusalOf(error), text, 'yes');
  }

  refuse(link: Link, id: number, code: NetErrorCode, message: string, ran: Ran = 'no'): void {
    link.send(encodeFailure(id, { code, ran, message }));
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

/** Characters that are left of the message of an error which the other side does not take whole. */
const LONGEST_CUT = 4_096;

/** Characters of its name. */
const LONGEST_ERROR_NAME = 256;

/**
 * What was thrown, as the other side takes it: where it is too large, its class and the begin of its message.
 * @param arg the argument that failed, when that is a stream
 */
export function errorThatFits(
  link: Link,
  id: number,
  thrown: unknown,
  stacks: boolean,
  arg?: number,
): Outgoing {
  const described = describeThrown(thrown, { stacks });
  const frame = encodeError(id, described, stacks, arg);
  if (fits(frame, link.limits.message)) return frame;
  const { name, message, classes } =
    'error' in described
      ? described.error
      : { name: 'Error', message: 'what was thrown', classes: undefined };
  const error = {
    name: name.slice(0, LONGEST_ERROR_NAME),
    message: `${message.slice(0, LONGEST_CUT)}… (cut: it is larger than the ${link.limits.message} bytes the caller takes)`,
    ...(classes && { classes }),
  };
  return encodeError(id, { error }, stacks, arg);
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
