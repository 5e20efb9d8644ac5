import { encodeFailure } from '../wire/codec.ts';
import { isStream } from '../value-shape.ts';
import type { Outgoing } from '../wire/outgoing.ts';
import { encodeComplete, encodeCredit, encodeNext } from '../wire/stream-frames.ts';
import { checkFits, errorThatFits, refusalOf } from './answers.ts';
import type { Call } from './call.ts';
import type { Link } from './link.ts';
import { StreamReader } from './stream-reader.ts';
import { StreamWriter } from './stream-writer.ts';

/** The caller, as the streams of its calls need it. */
export interface StreamHouse {
  /** Whether errors of the user's streams are sent with their stack. */
  readonly stacks: boolean;
  abandon(call: Call): void;
  allow(call: Call, time: number): void;
  hold(call: Call, holds: boolean): void;
}

/** The result is a stream: the user gets its reader. There is no deadline on the whole, only on silence. */
export function openStream(house: StreamHouse, call: Call, link: Link): void {
  if (call.reader) return;
  const { id } = call;
  call.reader = new StreamReader({
    credit: (count) => call.link?.send(encodeCredit(id, undefined, count)),
    cancel: () => house.abandon(call),
    waiting: (is) => {
      if (call.settled) return;
      house.hold(call, is);
      house.allow(call, is ? call.time : Infinity);
    },
  });
  link.streams += 1;
  house.hold(call, false);
  house.allow(call, Infinity);
  call.resolve(call.reader);
}

/** Which of the arguments are streams; undefined when none is. */
export function streamsIn(args: readonly unknown[]): number[] | undefined {
  let streams: number[] | undefined;
  for (let position = 0; position < args.length; position += 1) {
    if (isStream(args[position])) (streams ??= []).push(position);
  }
  return streams;
}

/** What the request says in place of them. */
export function withoutStreams(args: readonly unknown[], streams: readonly number[]): readonly unknown[] {
  return args.map((arg, position) => (streams.includes(position) ? null : arg));
}

/** Begins to send the arguments that are streams. */
export function sendArguments(house: StreamHouse, call: Call, link: Link, streams: readonly number[]): void {
  const { id } = call;
  call.writers = new Map();
  link.streams += streams.length;
  for (const arg of streams) {
    const send = (frame: Outgoing): void => {
      checkFits(link, frame);
      link.send(frame);
      // As long as values go out, the call is not silent.
      if (!call.reader && !call.settled) house.allow(call, call.time);
    };
    const writer = new StreamWriter(link, iterate(call.args[arg] as AsyncIterable<unknown>), {
      next: (value) => send(encodeNext(id, arg, value, house.stacks)),
      complete: (value) => send(encodeComplete(id, arg, value, house.stacks)),
      failed: (error) => link.send(errorThatFits(link, id, error, house.stacks, arg)),
      refused: (error) => {
        const message = `a value of args[${arg}] cannot be sent: ${(error as Error).message}`;
        link.send(encodeFailure(id, { code: refusalOf(error), ran: 'yes', message }, arg));
      },
      run: (step) => step(),
      ended: () => {},
    });
    call.writers.set(arg, writer);
    writer.start();
  }
}

/** The user's source; one that cannot even begin fails as a stream, not as an exception in the caller. */
function iterate(source: AsyncIterable<unknown>): AsyncIterator<unknown, unknown> {
  try {
    return source[Symbol.asyncIterator]();
  } catch (error) {
    // What a user's iterable throws is passed on as it is.
    // oxlint-disable-next-line prefer-promise-reject-errors
    return { next: () => Promise.reject(error) };
  }
}
