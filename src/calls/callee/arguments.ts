import { BadFrame } from '../../wire/bad-frame.ts';
import { readPassedOn } from '../../wire/unread/read-passed-on.ts';
import type { Link } from '../../connection/link/link.ts';
import type { Answers } from './answers.ts';
import { encodeCancel, encodeCredit } from '../../wire/stream-frames.ts';
import { reviveThrown } from '../../wire/values/failure.ts';
import type { CompleteFrame, ErrorFrame, NextFrame, RequestFrame } from '../../wire/frames.ts';
import { NetError, isNetErrorCode } from '../../base/errors.ts';
import type { RunningCall } from './running-call.ts';
import { StreamReader } from '../streams/stream-reader.ts';
import { takenOver } from './taken-calls.ts';

/** A frame of an argument that is a stream. */
export type ArgumentFrame = (NextFrame | CompleteFrame | ErrorFrame) & { arg: number };

/** The arguments, with a reader in the place of each one that is sent as a stream. */
export function receiveArguments(
  call: RunningCall,
  args: readonly unknown[],
  streams: readonly number[] | undefined,
): readonly unknown[] {
  if (!streams || streams.length === 0) return args;
  const { link, id } = call;
  const received = [...args];
  call.readers = new Map();
  for (const arg of streams) {
    const reader = new StreamReader({
      credit: (count, bytes) => link.send(encodeCredit(id, arg, count, bytes)),
      cancel: () => link.send(encodeCancel(id, arg)),
      waiting: () => {},
    });
    call.readers.set(arg, reader);
    received[arg] = reader;
  }
  takenOver(link).openStreams += streams.length;
  return received;
}

/** @returns false when the other side breaks the protocol */
export function receiveForArgument(call: RunningCall, frame: ArgumentFrame): boolean {
  const reader = call.readers?.get(frame.arg);
  if (!reader) return true;
  if (frame.type === 'next') return reader.push(frame.value, frame.size);
  if (frame.type === 'complete') reader.complete(frame.value);
  else reader.fail(() => Promise.reject(failureOf(call, frame)));
  return true;
}

function failureOf(call: RunningCall, frame: ErrorFrame): unknown {
  const { record } = call.link;
  if (!frame.failure) return reviveThrown(frame, record, '');
  const { code, ran, message } = frame.failure;
  const known = isNetErrorCode(code) ? code : 'BAD_REQUEST';
  return new NetError(known, message, { ran, peer: record.id, tag: call.tag });
}

/** Reads a request that was to be passed on to a thread. Undefined if that fails; the other side is then told. */
export function readOrRefuse(link: Link, request: RequestFrame, answers: Answers): RequestFrame | undefined {
  try {
    const read = readPassedOn(request);
    if (read.type === 'request') return read;
    answers.refuseUnrun(link, request, 'BAD_REQUEST', `the request cannot be read: ${read.message}`);
  } catch (error) {
    if (!(error instanceof BadFrame)) throw error;
    link.breach(error.message);
  }
  return undefined;
}

/** The arguments of a request, with the named ones last. */
export function argumentsOf({ args, kwargs }: RequestFrame): readonly unknown[] {
  return kwargs && hasKeys(kwargs) ? [...args, kwargs] : args;
}

function hasKeys(object: object): boolean {
  for (const key in object) if (Object.hasOwn(object, key)) return true;
  return false;
}
