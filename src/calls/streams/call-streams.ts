import { encodeFailure, encodeThrown } from '../../wire/codec.ts';
import type { CancelFrame, CreditFrame } from '../../wire/frames.ts';
import type { Outgoing } from '../../wire/outgoing.ts';
import { sizeOf } from '../../wire/outgoing.ts';
import { encodeComplete, encodeCredit, encodeNext } from '../../wire/stream-frames.ts';
import { refusalOf } from '../callee/answers.ts';
import type { Call } from '../caller/call.ts';
import type { GivenStreams } from './given-streams.ts';
import type { Link } from '../../connection/link/link.ts';
import { StreamReader } from './stream-reader.ts';
import { StreamWriter } from './stream-writer.ts';
import { sentOver } from '../caller/sent-calls.ts';

/** The part of the caller that the streams of its calls need. */
export interface StreamHouse {
  /** Whether errors of the user's streams are sent with their stack. */
  readonly stacks: boolean;
  abandon(call: Call): void;
  allow(call: Call, time: number): void;
  hold(call: Call, holds: boolean): void;
}

/** The result is a stream: the user gets its reader. There is no deadline for the whole stream, only for silence. */
export function openStream(house: StreamHouse, call: Call, link: Link): void {
  if (call.reader) return;
  const { id } = call;
  call.reader = new StreamReader({
    credit: (count, bytes) => call.link?.send(encodeCredit(id, undefined, count, bytes)),
    cancel: () => house.abandon(call),
    waiting: (is) => {
      if (call.settled) return;
      house.hold(call, is);
      house.allow(call, is ? call.time : Infinity);
    },
  });
  call.given?.taken();
  sentOver(link).streams += 1;
  house.hold(call, false);
  house.allow(call, Infinity);
  call.resolve(call.reader);
}

/** The arguments as the request carries them, with placeholders for the streams. */
export function withoutStreams(args: readonly unknown[], streams: readonly number[]): readonly unknown[] {
  return args.map((arg, position) => (streams.includes(position) ? null : arg));
}

/** Begins to send the arguments that are streams. */
export function sendArguments(house: StreamHouse, call: Call, link: Link, given: GivenStreams): void {
  const { id } = call;
  const { positions } = given;
  const writers = new Map<number, StreamWriter>();
  call.writers = writers;
  sentOver(link).streams += positions.length;
  given.begin().forEach((source, index) => {
    const arg = positions[index]!;
    const send = (frame: Outgoing): void => {
      link.send(frame);
      // The call is not silent while values go out.
      if (!call.reader && !call.settled) house.allow(call, call.time);
    };
    const writer = new StreamWriter(link, source, {
      next: (value) => {
        const frame = encodeNext(id, arg, value, house.stacks, link.limits.message);
        send(frame);
        return sizeOf(frame);
      },
      complete: (value) => send(encodeComplete(id, arg, value, house.stacks, link.limits.message)),
      failed: (error) => link.send(encodeThrown(id, error, house.stacks, link.limits.message, arg)),
      refused: (error) => {
        const { code, why } = refusalOf(link, error);
        const message = `a value of args[${arg}] cannot be sent: ${why}`;
        link.send(encodeFailure(id, { code, ran: 'yes', message }, arg));
      },
      run: (step) => step(),
      ended: () => {},
    });
    writers.set(arg, writer);
    writer.start();
  });
}

/** The other side reads an argument that is a stream, or cancels it. */
export function takeForArgument(house: StreamHouse, call: Call, frame: CreditFrame | CancelFrame): void {
  const writer = call.writers?.get(frame.arg ?? -1);
  call.given?.taken();
  if (frame.type === 'credit') {
    writer?.credit(frame.count, frame.bytes);
    if (writer && !call.reader) house.allow(call, call.time);
  } else {
    writer?.stop();
  }
}

/**
 * Ends the streams of a call that has ended, sent or not. Lent streams that were not sent, or that the other side did not
 * take, may still go out with another call.
 * @param refused the other side did not take the call
 */
export function endArguments(call: Call, given: GivenStreams, refused = false): void {
  if (!call.writers) {
    if (!given.lent) given.end();
  } else if (refused && given.giveBack()) {
    for (const writer of call.writers.values()) writer.leave();
  } else {
    for (const writer of call.writers.values()) writer.stop();
  }
}
