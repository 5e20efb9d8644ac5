import { Arrivals } from './binary.ts';
import { BadFrame } from './bad-frame.ts';
import type {
  ErrorFrame,
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
import type { Meta } from './meta.ts';
import { NotSerializable } from './not-serializable.ts';
import { Parcel, lengthOf } from './outgoing.ts';
import type { Outgoing } from './outgoing.ts';
import { DEEPEST, DEEPEST_FRAME, isPlain } from './plain.ts';
import { Unreadable, reviveFrame } from './revive.ts';
import { UNREADABLE, encodeRich } from './rich.ts';
import type { RichOptions } from './rich.ts';
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
 * @throws NotSerializable naming the argument
 */
export function encodeRequest(
  id: number,
  tag: string,
  args: readonly unknown[],
  deadline: number | undefined,
  stacks = true,
  streams?: readonly number[],
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
  const text = encodeShort(args) ?? encodePlain(args);
  const tail = streams ? `,"streams":${JSON.stringify(streams)}${lastTail}` : lastTail;
  if (text !== undefined) return head + lastTagText + text + tail;
  return pack(head, lastTagText, args, tail, { field: 'args', name: 'args', stacks });
}

/**
 * @param stacks whether errors within the result are sent with their stack
 * @throws NotSerializable naming the place in the result
 */
export function encodeResult(id: number, value: unknown, stacks = true): Outgoing {
  if (value === undefined) return `${RESULT}${id}}`;
  return encodeWithValue(RESULT + id, value, 'result', stacks);
}

/**
 * Any frame whose last field is `value`.
 *
 * @param head its text up to the fields before: `{"type":"next","id":7`
 * @param name what the value is called in messages
 * @throws NotSerializable naming the place in the value
 */
export function encodeWithValue(head: string, value: unknown, name: string, stacks: boolean): Outgoing {
  const text = encodePrimitive(value) ?? encodePlain(value);
  if (text !== undefined) return head + VALUE + text + '}';
  return pack(head, VALUE, value, '}', { field: 'value', name, stacks });
}

/** Around the values of the user's in an error there are those that make it up, and the frame. */
const DEEPEST_ERROR = DEEPEST_FRAME - 1;

/**
 * What a function threw, or an argument that is a stream, as `failure.ts` has described it.
 * @param stacks whether errors within its properties are sent with their stack
 */
export function encodeError(
  id: number,
  thrown: Pick<ErrorFrame, 'error' | 'thrown'>,
  stacks: boolean,
  arg?: number,
): Outgoing {
  const head = `{"type":"error","id":${id}${arg === undefined ? '' : `,"arg":${arg}`}`;
  const field = thrown.error ? 'error' : 'thrown';
  const value = thrown[field];
  const before = `,"${field}":`;
  if (isPlain(value, DEEPEST - DEEPEST_ERROR)) return head + before + JSON.stringify(value) + '}';
  try {
    return pack(head, before, value, '}', { field, name: field, stacks, deepest: DEEPEST_ERROR });
  } catch {
    // Each of its properties can be carried, but not all of them together.
    const { name = 'Error', message = 'what was thrown cannot be carried' } = thrown.error ?? {};
    return head + `,"error":${JSON.stringify({ name, message })}}`;
  }
}

/** The beginning of an event's frame, the same for all events of the name. */
export function eventHead(name: string): string {
  return `${EVENT}${JSON.stringify(name)},"sequence":`;
}

/**
 * @param stacks whether errors within the payload are sent with their stack
 * @throws NotSerializable naming the place in the payload
 */
export function encodeEvent(head: string, sequence: number, payload: unknown, stacks = true): Outgoing {
  if (payload === undefined) return `${head}${sequence}}`;
  return encodeWithValue(head + sequence, payload, 'payload', stacks);
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
function encodeShort(args: readonly unknown[]): string | undefined {
  if (args.length > 8) return undefined;
  let text = '[';
  for (let index = 0; index < args.length; index += 1) {
    const item = encodePrimitive(args[index]);
    if (item === undefined) return undefined;
    text += index === 0 ? item : `,${item}`;
  }
  return `${text}]`;
}

/** JSON writes a finite number as JavaScript does. Undefined for what is no plain primitive. */
function encodePrimitive(value: unknown): string | undefined {
  switch (typeof value) {
    case 'number':
      return isPlain(value) ? `${value}` : undefined;
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return value === null ? 'null' : undefined;
  }
}

/** Undefined for what JSON cannot say, or cannot even read: the other way then says what it is. */
function encodePlain(value: unknown): string | undefined {
  try {
    return isPlain(value) ? JSON.stringify(value) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The meta comes before the value, so that who reads the usual frames without parsing them sees at once that this
 * is none of them.
 */
function pack(head: string, before: string, value: unknown, end: string, options: RichOptions): Outgoing {
  const { json, meta, binaries } = encodeRich(value, options);
  let text = `${head},"meta":${meta}${before}`;
  try {
    text += JSON.stringify(json) + end;
  } catch (cause) {
    // A getter that throws the second time only, or more text than a string can hold.
    throw new NotSerializable(options.name, UNREADABLE, { cause });
  }
  return binaries.length > 0 ? new Parcel(text, binaries) : text;
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
