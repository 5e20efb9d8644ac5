import { Arrivals } from './binary.ts';
import { BadFrame } from './bad-frame.ts';
import type {
  Frame,
  FunctionsFrame,
  GoawayFrame,
  LoadFrame,
  SubscribeFrame,
  SubscribedFrame,
  UnreadableFrame,
  UnsubscribeFrame,
  WireFailure,
} from './frames.ts';
import { holdsValues, isFrame, isKnownType, isShallow } from './guards.ts';
import { isFields } from './shapes.ts';
import type { Meta, Rich, RichOptions } from './values/meta.ts';
import { passOnRead, passesOn } from './unread/passed-on.ts';
import { Parcel, fits, lengthOf } from './outgoing.ts';
import type { Outgoing } from './outgoing.ts';
import { isPlainNumber, plainText, textOf } from './values/plain.ts';
import { Unreadable, reviveFrame } from './values/revive.ts';
import { encodeRich } from './values/rich.ts';
import type { PresenceFrame } from './presence-frames.ts';
import type { RevokedFrame } from './revoked-frame.ts';
import { describeThrown } from './values/thrown.ts';
import { TooLarge } from './too-large.ts';
import { EVENT, REQUEST, RESULT, SURELY_SHALLOW, VALUE, decodeUsual } from './usual-frames.ts';

/**
 * Turns frames into text and text into frames. `stream-frames.ts` writes the frames of streams and `cancel`, and
 * `usual-frames.ts` reads the most frequent frames. A WebSocket message is one or more JSON objects, one per line.
 */

/** Separates the frames of one message. JSON text never contains a raw line break, so nothing needs escaping. */
export const SEPARATOR = '\n';

/** The tag and the end of a request rarely change from one call to the next, so their text is kept. */
let lastTag = '';
let lastTagText = ',"tag":"","args":';
let lastDeadline: number | undefined;
let lastTail = ',"kwargs":{}}';

const ARGS = ',"args":';

/**
 * @param stacks whether errors within the arguments are sent with their stack
 * @param streams which of the arguments follow as streams
 * @param most bytes that the other side accepts
 * @param beside the text of `encodeBeside`
 * @throws NotSerializable naming the argument; TooLarge
 */
export function encodeRequest(
  id: number,
  tag: string,
  args: readonly unknown[],
  deadline: number | undefined,
  stacks = true,
  streams?: readonly number[],
  most = Infinity,
  beside = '',
): Outgoing {
  if (tag !== lastTag) {
    lastTagText = `,"tag":${JSON.stringify(tag)},"args":`;
    lastTag = tag;
  }
  if (deadline !== lastDeadline) {
    lastTail = deadline === undefined ? ',"kwargs":{}}' : `,"kwargs":{},"deadline":${deadline}}`;
    lastDeadline = deadline;
  }
  const head = REQUEST + id;
  // A getter in the arguments may make a call itself, which changes the kept text.
  const before = beside === '' ? lastTagText : lastTagText.slice(0, -ARGS.length) + beside + ARGS;
  const tail = streams ? `,"streams":${JSON.stringify(streams)}${lastTail}` : lastTail;
  const text = encodeShort(args, most) ?? plainText(args, most);
  if (text !== undefined) return checked(head + before + text + tail, most);
  return pack(head, before, args, tail, { field: 'args', name: 'args', stacks, most });
}

/**
 * @param stacks whether errors within the result are sent with their stack
 * @param most bytes that the other side accepts
 * @throws NotSerializable naming the place in the result; TooLarge
 */
export function encodeResult(id: number, value: unknown, stacks = true, most = Infinity): Outgoing {
  if (value === undefined) return `${RESULT}${id}}`;
  return encodeWithValue(RESULT + id, value, 'result', stacks, most);
}

/**
 * Any frame whose last field is `value`.
 *
 * @param head the text of the frame before `value`: `{"type":"next","id":7`
 * @param name the name of the value in error messages
 * @param most bytes that the other side accepts
 * @throws NotSerializable naming the place in the value; TooLarge
 */
export function encodeWithValue(
  head: string,
  value: unknown,
  name: string,
  stacks: boolean,
  most: number,
): Outgoing {
  const text = encodePrimitive(value, most) ?? plainText(value, most);
  if (text !== undefined) return checked(head + VALUE + text + '}', most);
  return pack(head, VALUE, value, '}', { field: 'value', name, stacks, most });
}

/**
 * An error that did not fit is cut to this fraction of what its receiver accepts: a character is 6 bytes at most, a number 24.
 */
const CUT = 32;

/** The largest message for an error if the limit of the other side is not given. */
const ANY_SIZE = 16 * 1024 * 1024;

/**
 * A value thrown by a function, or by a stream that is an argument. Never throws: an error that is too large is cut until it
 * fits, but always keeps its class.
 *
 * @param stacks whether errors are sent with their stack
 * @param most bytes that the other side accepts
 */
export function encodeThrown(
  id: number,
  thrown: unknown,
  stacks: boolean,
  most = ANY_SIZE,
  arg?: number,
): Outgoing {
  const head = `{"type":"error","id":${id}${arg === undefined ? '' : `,"arg":${arg}`}`;
  for (const room of [most, Math.floor(most / CUT)]) {
    try {
      const { field, ...rich } = describeThrown(thrown, stacks, room);
      return checked(join(head, `,"${field}":`, rich, '}'), most);
    } catch {
      // It is too large. The second attempt leaves out nearly all of it.
    }
  }
  return `${head},"error":{"name":"Error","message":"the function threw an error that cannot be sent"}}`;
}

/** The beginning of an event's frame, the same for all events of one name. */
export function eventHead(name: string): string {
  return `${EVENT}${JSON.stringify(name)},"sequence":`;
}

/**
 * The end of an event's frame, after its sequence. It is encoded first, because a sequence is only taken once nothing can fail
 * any more; no other event is emitted in between.
 * @param stacks whether errors within the payload are sent with their stack
 * @param most bytes that the frame may have, without its beginning
 * @param beside the text of `encodeBeside`
 * @throws NotSerializable naming the place in the payload; TooLarge
 */
export function encodePayload(payload: unknown, stacks = true, most = Infinity, beside = ''): Outgoing {
  return payload === undefined ? `${beside}}` : encodeWithValue(beside, payload, 'payload', stacks, most);
}

/** @param end the result of `encodePayload` */
export function encodeEvent(head: string, sequence: number, end: Outgoing): Outgoing {
  const start = head + sequence;
  return typeof end === 'string' ? start + end : new Parcel(start + end.text, end.binaries);
}

/** Characters of the message of a failure. It may name a place in a value of the user, and that can be long. */
const LONGEST_FAILURE = 1_024;

/** Why a call, or a stream that is its argument, failed. It fits into any limit of the other side. */
export function encodeFailure(id: number, { code, ran, message }: WireFailure, arg?: number): string {
  const failure = { code, ran, message: message.slice(0, LONGEST_FAILURE) };
  return JSON.stringify({ type: 'error', id, arg, failure });
}

/** For frames without values of the user. */
export function encodeFrame(
  frame:
    | FunctionsFrame
    | GoawayFrame
    | LoadFrame
    | PresenceFrame
    | RevokedFrame
    | SubscribeFrame
    | SubscribedFrame
    | UnsubscribeFrame,
): string {
  return JSON.stringify(frame);
}

/**
 * A few primitives, as most calls have them, without a call into the engine's JSON. Undefined for anything else, and for
 * primitives that JSON cannot represent.
 */
function encodeShort(args: readonly unknown[], most: number): string | undefined {
  try {
    if (args.length > 8) return undefined;
    let text = '[';
    for (let index = 0; index < args.length; index += 1) {
      const item = encodePrimitive(args[index], most);
      if (item === undefined) return undefined;
      text += index === 0 ? item : `,${item}`;
    }
    return `${text}]`;
  } catch (error) {
    if (TooLarge.is(error)) throw error;
    // The list of arguments may come from the user and be a proxy.
    return undefined;
  }
}

/** JSON writes a finite number as JavaScript does. Undefined for a value that is not a plain primitive. */
function encodePrimitive(value: unknown, most: number): string | undefined {
  switch (typeof value) {
    case 'number':
      return isPlainNumber(value) ? `${value}` : undefined;
    case 'string':
      if (value.length > most) throw new TooLarge();
      return value.length > SURELY_SHORT ? textOf(value) : JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return value === null ? 'null' : undefined;
  }
}

/** Characters of a string whose JSON surely fits into a string. */
const SURELY_SHORT = 16 * 1024 * 1024;

/** @throws TooLarge */
function checked(frame: Outgoing, most: number): Outgoing {
  if (!fits(frame, most)) throw new TooLarge();
  return frame;
}

/** @throws NotSerializable; TooLarge */
function pack(head: string, before: string, value: unknown, end: string, options: RichOptions): Outgoing {
  return checked(join(head, before, encodeRich(value, options), end), options.most);
}

/**
 * `meta` comes before the value, so that the fast reader of the usual frames (`usual-frames.ts`) sees at once that this frame is
 * not one of them.
 */
function join(head: string, before: string, { json, meta, binaries }: Rich, end: string): Outgoing {
  const text = textOf(json);
  const whole =
    meta === undefined ? head + before + text + end : `${head},"meta":${meta}${before}${text}${end}`;
  return binaries.length > 0 ? new Parcel(whole, binaries) : whole;
}

/** Receives the frames of a message. */
export interface FrameReceiver {
  frame(frame: Frame | UnreadableFrame): void;
}

/** For messages that cannot come with binary ones. */
const NO_ARRIVALS = new Arrivals(0);

/**
 * Reads one message and passes on each frame, in order, with its values in their places.
 *
 * @param arrivals the binary messages that came before the message
 * @throws BadFrame at the first line that is not a frame; the frames before it have been passed on
 */
export function decodeMessage(
  text: string,
  receiver: FrameReceiver,
  newerVersion = false,
  arrivals = NO_ARRIVALS,
): void {
  arrivals.begin(text);
  let start = 0;
  while (start <= text.length) {
    let end = text.indexOf(SEPARATOR, start);
    if (end < 0) end = text.length;
    // Empty lines are skipped: many writers also end their last line.
    if (end > start) {
      const frame =
        decodeUsual(text, start, end) ?? decodeLine(text.slice(start, end), newerVersion, arrivals);
      if (frame) receiver.frame(frame);
    }
    start = end + 1;
  }
  arrivals.end();
}

function decodeLine(
  line: string,
  newerVersion: boolean,
  arrivals: Arrivals,
): Frame | UnreadableFrame | undefined {
  const value = parse(line);
  if (!isFields(value)) throw new BadFrame('a frame is not a JSON object');
  if (line.length > SURELY_SHALLOW && !isShallow(value)) throw new BadFrame('a frame is nested too deep');
  if (isFrame(value)) {
    if (value.type === 'next') value.size = line.length;
    if (value.type === 'request' && passesOn(value.tag)) {
      const request = passOnRead(value, REQUEST + value.id, line, arrivals);
      if (request) return request;
    }
    return value['meta'] === undefined || !holdsValues(value.type) ? value : revive(value, arrivals);
  }
  if (newerVersion && !isKnownType(value['type'])) return undefined;
  throw new BadFrame('a frame has an unknown type or a wrong shape');
}

function revive(
  frame: Frame & Record<string, unknown>,
  arrivals: Arrivals,
): Frame | UnreadableFrame | undefined {
  const { values, binary = 0 } = frame['meta'] as Meta;
  delete frame['meta'];
  const binaries = arrivals.take(binary);
  if (frame.type === 'next') frame.size += lengthOf(binaries);
  try {
    reviveFrame(frame, values, binaries);
    // A revived value may have replaced one that the frame itself needs.
    if (isFrame(frame)) return frame;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return unreadable(frame, error.message);
  }
  return unreadable(frame, 'its meta does not point to a value');
}

function unreadable(frame: Record<string, unknown>, message: string): UnreadableFrame {
  const { type, id, arg } = frame as { type: UnreadableFrame['of']; id: number; arg?: number };
  return { type: 'unreadable', of: type, id, message, ...(arg !== undefined && { arg }) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadFrame('a frame is not JSON');
  }
}
