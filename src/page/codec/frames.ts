import { messageOf, nameOr } from '../../base/text.ts';
import { Parcel, fits } from '../../wire/outgoing.ts';
import type { Outgoing } from '../../wire/outgoing.ts';
import { TooLarge } from '../../wire/too-large.ts';
import { isError } from '../../wire/values/error-classes.ts';
import { encodeValue } from './encode.ts';
import type { Encoded } from './encode.ts';
import { writeError, writeThrown } from './errors.ts';

/** Writes the frames of a page, in the form in which servers read them fastest (`wire/usual-frames.ts`). */

/** @throws TooLarge */
function frame(
  head: string,
  { meta, json, binaries }: Encoded,
  field: string,
  end: string,
  most: number,
): Outgoing {
  const text = `${head}${meta}${field}${JSON.stringify(json)}${end}`;
  const whole = binaries.length > 0 ? new Parcel(text, binaries) : text;
  if (!fits(whole, most)) throw new TooLarge();
  return whole;
}

/** Whether JSON says the same. */
function isPrimitive(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

function encoded(value: unknown, field: string, name: string, most: number): Encoded {
  if (isPrimitive(value)) return { json: value, meta: '', binaries: [] };
  return encodeValue(value, field, name, most);
}

/**
 * @param beside the text of `encodeBeside`
 * @throws NotSerializable naming the argument; TooLarge
 */
export function encodeRequest(
  id: number,
  tag: string,
  args: readonly unknown[],
  deadline: number | undefined,
  streams: readonly number[] | undefined,
  most: number,
  beside: string,
): Outgoing {
  const head = `{"type":"request","id":${id}`;
  const field = `,"tag":${JSON.stringify(tag)}${beside},"args":`;
  const places = streams ? `,"streams":${JSON.stringify(streams)}` : '';
  const end = `${places},"kwargs":{}${deadline === undefined ? '' : `,"deadline":${deadline}`}}`;
  const written = args.every(isPrimitive)
    ? { json: args, meta: '', binaries: [] }
    : encodeValue(args, 'args', 'args', most);
  return frame(head, written, field, end, most);
}

/** Any frame whose last field is `value`. @throws NotSerializable naming the place in the value; TooLarge */
export function encodeWithValue(head: string, value: unknown, name: string, most: number): Outgoing {
  if (value === undefined) return `${head}}`;
  return frame(head, encoded(value, 'value', name, most), ',"value":', '}', most);
}

function headOf(type: string, id: number, arg?: number): string {
  return `{"type":"${type}","id":${id}${arg === undefined ? '' : `,"arg":${arg}`}`;
}

export function encodeResult(id: number, value: unknown, most: number): Outgoing {
  return encodeWithValue(headOf('result', id), value, 'result', most);
}

export function encodeNext(id: number, arg: number | undefined, value: unknown, most: number): Outgoing {
  return encodeWithValue(headOf('next', id, arg), value, 'value', most);
}

export function encodeComplete(id: number, arg: number | undefined, value: unknown, most: number): Outgoing {
  return encodeWithValue(headOf('complete', id, arg), value, 'value', most);
}

/** Characters of the message of an error, or of a failure, that is cut. */
export const LONGEST_MESSAGE = 1_024;

/** What a function or a stream threw. Never throws itself: an error that cannot be sent keeps its name and its message. */
export function encodeThrown(id: number, thrown: unknown, most: number, arg?: number): Outgoing {
  const head = headOf('error', id, arg);
  try {
    const kind = isError(thrown) ? 'error' : 'thrown';
    const written = encodeValue(thrown, kind, 'the thrown value', most, (encoder) =>
      isError(thrown)
        ? writeError(encoder, thrown, (cause) => writeThrown(encoder, cause))
        : writeThrown(encoder, thrown),
    );
    return frame(head, written, `,"${kind}":`, '}', most);
  } catch (error) {
    const { name, message } = describe(thrown, error);
    return `${head},"error":${JSON.stringify({ name, message: message.slice(0, LONGEST_MESSAGE) })}}`;
  }
}

function describe(thrown: unknown, why: unknown): { name: string; message: string } {
  try {
    if (isError(thrown)) return { name: nameOr(thrown.name, 'Error'), message: messageOf(thrown) };
  } catch {
    // Its getters throw.
  }
  return { name: 'Error', message: `something was thrown that cannot be sent: ${(why as Error).message}` };
}
