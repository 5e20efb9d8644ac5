import type { NetError, NetErrorCode, Ran } from '../../base/errors.ts';
import type { Link } from '../../connection/link/link.ts';
import type { Outgoing } from '../../wire/outgoing.ts';
import type { PassedOn } from '../../wire/unread/unread-request.ts';
import type { Limited } from './limited.ts';

/** Something that a call waits for. It is told when the call ends before. */
export interface Withdrawable {
  /** Whether the function has begun. */
  readonly hasBegun: boolean;
  withdraw(): void;
}

/** A call of another peer, as far as threads need it. */
export interface ForwardedCall {
  readonly id: number;
  readonly tag: string;
  readonly link: Link;
  /** When its request was read, on the clock. */
  readonly receivedAt: number;
  /** Until when the caller waits, on the clock. */
  readonly deadlineAt: number;
  /** Why nobody waits for it any more; undefined while the caller waits. */
  readonly ended: NetError | undefined;
  /** What it waits for. */
  waitsFor: Withdrawable | undefined;
  /** Ends it, because nobody waits for it any more. */
  end(reason: NetError): void;
}

/** Runs calls of a function in worker threads. The room `threads` implements it. */
export interface Threads extends Limited {
  /** Takes the call over. It must be answered exactly once, however it ends. */
  forward(call: ForwardedCall, request: PassedOn, house: ForwardHouse): void;
  /** How many threads there are, and how many calls of the function they run and let wait. */
  readonly figures: { threads: number; running: number; waiting: number };
}

/** The part of the runner that takes back what became of such a call. */
export interface ForwardHouse {
  /** @param answer the frame of the answer, as the caller gets it */
  answered(call: ForwardedCall, answer: Outgoing): void;
  /** The result is a stream. */
  streamed(call: ForwardedCall, stream: AsyncIterable<unknown>): void;
  failed(call: ForwardedCall, code: NetErrorCode, message: string, ran: Ran): void;
}
