import type { NetErrorCode, Ran } from '../../base/errors.ts';
import { isFailure } from './call-failures.ts';
import { CHANNELS } from '../../base/diagnostics.ts';
import type { MeasuredCalls } from '../call-stats.ts';
import type { RefuseMessage } from '../call-message.ts';
import type { ErrorFrame } from '../../wire/frames.ts';
import { OK, endOf, endOfFrame, failed } from '../call-end.ts';
import type { CallEnd } from '../call-end.ts';
import { encodeFailure, encodeResult, encodeThrown } from '../../wire/codec.ts';
import { NotSerializable } from '../../wire/values/not-serializable.ts';
import type { Outgoing } from '../../wire/outgoing.ts';
import { TooLarge } from '../../wire/too-large.ts';
import type { Link } from '../../connection/link/link.ts';

const ERROR = '{"type":"error",';

/** Writes the answer to a request: a result, an error or a refusal. */
export class Answers {
  /** Whether thrown errors are sent with their stack. */
  readonly stacks: boolean;

  readonly #id: string;
  readonly #calls: MeasuredCalls;
  #failed: ((end: CallEnd) => void) | undefined;

  /** @param id of the peer that answers */
  constructor(stacks: boolean, id: string, calls: MeasuredCalls) {
    this.stacks = stacks;
    this.#id = id;
    this.#calls = calls;
  }

  /** Writes an answer, and tells how the call ended with it. */
  telling(onEnd: (end: CallEnd) => void, write: () => void): void {
    let end = OK;
    this.#failed = (how) => (end = how);
    try {
      write();
    } finally {
      this.#failed = undefined;
      onEnd(end);
    }
  }

  /** @returns how the call ended, if the value could not be sent */
  succeed(link: Link, id: number, value: unknown): CallEnd | undefined {
    let answer: Outgoing;
    try {
      answer = encodeResult(id, value, this.stacks, link.limits.message);
    } catch (error) {
      return this.refuseValue(link, id, error);
    }
    link.send(answer);
    return undefined;
  }

  /** Sends the answer of a thread, which is ready to be sent. */
  passOn(link: Link, answer: Outgoing): void {
    const text = typeof answer === 'string' ? answer : answer.text;
    if (this.#failed && text.startsWith(ERROR)) this.#failed(endOfFrame(JSON.parse(text) as ErrorFrame));
    link.send(answer);
  }

  threw(link: Link, id: number, error: unknown): void {
    if (isFailure(error)) {
      this.refuse(link, id, error.code, error.message, error.ran);
      return;
    }
    this.#failed?.(endOf(error));
    link.send(encodeThrown(id, error, this.stacks, link.limits.message));
  }

  /** Answers that the function's result, or a value of its stream, cannot be sent. */
  refuseValue(link: Link, id: number, error: unknown): CallEnd {
    const { code, why } = refusalOf(link, error);
    const text = `the function ran, but its result cannot be sent: ${why}`;
    this.refuse(link, id, code, text, 'yes');
    return failed(code, text, 'yes');
  }

  /** Answers a request whose function does not run. */
  refuseUnrun(
    link: Link,
    { id, tag }: { id: number; tag?: string },
    code: NetErrorCode,
    message: string,
  ): void {
    this.#calls.ran?.refused(tag, failed(code, message, 'no'));
    if (CHANNELS.callRefuse.hasSubscribers) {
      const refused: RefuseMessage = { local: this.#id, peer: link.record, tag, code, message };
      CHANNELS.callRefuse.publish(refused);
    }
    this.refuse(link, id, code, message);
  }

  refuse(link: Link, id: number, code: NetErrorCode, message: string, ran: Ran = 'no'): void {
    this.#failed?.(failed(code, message, ran));
    link.send(encodeFailure(id, { code, ran, message }));
  }
}

/** Why a value of the user's cannot be sent, from what the encoder threw. */
export function refusalOf(link: Link, error: unknown): { code: NetErrorCode; why: string } {
  if (TooLarge.is(error)) {
    const why = `it is larger than the ${link.limits.message} bytes that the receiver accepts (its limits.message)`;
    return { code: 'TOO_LARGE', why };
  }
  const why = NotSerializable.is(error) ? error.message : 'reading it threw an error';
  return { code: 'NOT_SERIALIZABLE', why };
}
