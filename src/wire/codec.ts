import { Arrivals } from './binary.ts';
import { BadFrame } from './bad-frame.ts';
import type {
  Frame,
  FunctionsFrame,
  GoawayFrame,
  PeersFrame,
  SubscribeFrame,
  SubscribedFrame,
  UnreadableFrame,
  UnsubscribeFrame,
  WireFailure,
} from './frames.ts';
import { holdsValues, isFields, isFrame, isKnownType, isShallow } from './guards.ts';
import type { Meta, Rich, RichOptions } from './values/meta.ts';
import { Parcel, fits, lengthOf } from './outgoing.ts';
import type { Outgoing } from './outgoing.ts';
import { isPlainNumber, plainText, textOf } from './values/plain.ts';
import { Unreadable, reviveFrame } from './values/revive.ts';
import { encodeRich } from './values/rich.ts';
import { describeThrown } from './thrown.ts';
import { TooLarge } from './too-large.ts';
import { EVENT, REQUEST, RESULT, SURELY_SHALLOW, VALUE, decodeUsual } from './usual-frames.ts';

/**
 * The one place where frames become text and text becomes frames. A WebSocket message is one or more JSON
 * objects, one a line.
 */

/** Between the frames of one message. JSON text never holds a raw line break, so nothing needs escaping. */
export const SEPARATOR = '\n';

/** The tag and the rest of a request's text change rarely from one call to the next, and are kept. */
let lastTag = '';
let lastTagText = ',"tag":"","args":';
let lastDeadline: number | undefined;
let lastTail = ',"kwargs":{}}';

/**
 * @param stacks whether errors within the arguments are sent with their stack
 * @param streams which of the arguments follow as streams
 * @param most bytes that the other side takes
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
  // A getter in the arguments may make a call itself, and change what is kept.
  const before = lastTagText;
  const tail = streams ? `,"streams":${JSON.stringify(streams)}${lastTail}` : lastTail;
  const text = encodeShort(args, most) ?? plainText(args, most);
  if (text !== undefined) return checked(head + before + text + tail, most);
  return pack(head, before, args, tail, { field: 'args', name: 'args', stacks, most });
}

/**
 * @param stacks whether errors within the result are sent with their stack
 * @param most bytes that the other side takes
 * @throws NotSerializable naming the place in the result; TooLarge
 */
export function encodeResult(id: number, value: unknown, stacks = true, most = Infinity): Outgoing {
  if (value === undefined) return `${RESULT}${id}}`;
  return encodeWithValue(RESULT + id, value, 'result', stacks, most);
}

/**
 * Any frame whose last field is `value`.
 *
 * @param head its text up to the fields before: `{"type":"next","id":7`
 * @param name what the value is called in messages
 * @param most bytes that the other side takes
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

/** So much smaller than its receiver takes is an error that did not fit: a character is 6 bytes at most, a number 24. */
const CUT = 32;

/** The largest message of errors where nobody says what the other side takes. */
const ANY_SIZE = 16 * 1024 * 1024;

/**
 * What a function threw, or an argument that is a stream. Never throws: of an error that is too large there is as much as fits, and
 * its class in any case.
 *
 * @param stacks whether errors are sent with their stack
 * @param most bytes that the other side takes
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
      // Too large as it is. The second time nearly all of it is left out.
    }
  }
  return `${head},"error":{"name":"Error","message":"an error was thrown that cannot be carried"}}`;
}

/** The beginning of an event's frame, the same for all events of the name. */
export function eventHead(name: string): string {
  return `${EVENT}${JSON.stringify(name)},"sequence":`;
}

/**
 * The end of an event's frame, after its sequence: that is only known when nothing can fail any more, and nothing is emitted in
 * between.
 * @param stacks whether errors within the payload are sent with their stack
 * @param most bytes of the frame, without its beginning
 * @throws NotSerializable naming the place in the payload; TooLarge
 */
export function encodePayload(payload: unknown, stacks = true, most = Infinity): Outgoing {
  return payload === undefined ? '}' : encodeWithValue('', payload, 'payload', stacks, most);
}

/** @param end what `encodePayload` returned */
export function encodeEvent(head: string, sequence: number, end: Outgoing): Outgoing {
  const start = head + sequence;
  return typeof end === 'string' ? start + end : new Parcel(start + end.text, end.binaries);
}

/** Characters of the words in a failure: they may name a place in a value of the user's, and that can be long. */
const LONGEST_FAILURE = 1_024;

/** Why a call failed, or a stream that is an argument of it. It fits whatever the other side takes. */
export function encodeFailure(id: number, { code, ran, message }: WireFailure, arg?: number): string {
  const failure = { code, ran, message: message.slice(0, LONGEST_FAILURE) };
  return JSON.stringify({ type: 'error', id, arg, failure });
}

/** For the frames that hold nothing of the user's. */
export function encodeFrame(
  frame: FunctionsFrame | GoawayFrame | PeersFrame | SubscribeFrame | SubscribedFrame | UnsubscribeFrame,
): string {
  return JSON.stringify(frame);
}

/**
 * A few primitives, as most calls have them, without the way into the engine's JSON. Undefined for anything else,
 * and for what is not plain.
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
    // The list of arguments may be the user's own, and a proxy.
    return undefined;
  }
}

/** JSON writes a finite number as JavaScript does. Undefined for what is no plain primitive. */
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

/** Characters of a string whose JSON is no longer than a string can be. */
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
 * The meta comes before the value, so that who reads the usual frames without parsing them sees at once that this
 * is none of them.
 */
function join(head: string, before: string, { json, meta, binaries }: Rich, end: string): Outgoing {
  const text = textOf(json);
  const whole =
    meta === undefined ? head + before + text + end : `${head},"meta":${meta}${before}${text}${end}`;
  return binaries.length > 0 ? new Parcel(whole, binaries) : whole;
}

/** Takes the frames of a message. */
export interface FrameReceiver {
  frame(frame: Frame | UnreadableFrame): void;
}

/** For messages with which no binary ones can come. */
const NO_ARRIVALS = new Arrivals(0);

/**
 * Reads one message and hands over each frame, in order, with its values in their places.
 *
 * @param arrivals the binary messages that came before it
 * @throws BadFrame at the first line that is no frame; the frames before it have been received
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
    // An empty line is none: many writers end their last line, too.
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
    // A value may have been put where the frame itself needs another.
    if (isFrame(frame)) return frame;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return unreadable(frame, error.message);
  }
  return unreadable(frame, 'its meta leads to no value');
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
