import type { ErrorFrame, Frame, FunctionsFrame, GoawayFrame } from './frames.ts';
import { isFields, isFrame, isKnownType, isShallow } from './guards.ts';
import { DEEPEST_FRAME, findUnplain, isPlain } from './plain.ts';

/**
 * The one place where frames become text and text becomes frames. A WebSocket message is one or more JSON
 * objects, one a line.
 */

/** Between the frames of one message. JSON text never holds a raw line break, so nothing needs escaping. */
export const SEPARATOR = '\n';

/** A value that JSON cannot say. `path` begins with the name the encoder was given: `args[0].user.save`. */
export class NotSerializable extends Error {
  readonly path: string;
  constructor(path: string, what: string) {
    super(`${path} is ${what}, which cannot be carried to another process`);
    this.path = path;
  }
}

/** A message from the other side that breaks the protocol; the connection is closed because of it. */
export class BadFrame extends Error {}

/** @throws NotSerializable naming the argument */
export function encodeRequest(
  id: number,
  tag: string,
  args: readonly unknown[],
  deadline: number | undefined,
): string {
  const wait = deadline === undefined ? '' : `,"deadline":${deadline}`;
  return `{"type":"request","id":${id},"tag":${JSON.stringify(tag)},"args":${encodeValue(args, 'args')},"kwargs":{}${wait}}`;
}

/** @throws NotSerializable naming the place in the result */
export function encodeResult(id: number, value: unknown): string {
  if (value === undefined) return `{"type":"result","id":${id}}`;
  return `{"type":"result","id":${id},"value":${encodeValue(value, 'result')}}`;
}

export function encodeCancel(id: number): string {
  return `{"type":"cancel","id":${id}}`;
}

/** For the frames that hold nothing of the user's but what `failure.ts` has already made plain. */
export function encodeFrame(frame: ErrorFrame | FunctionsFrame | GoawayFrame): string {
  return JSON.stringify(frame);
}

function encodeValue(value: unknown, name: string): string {
  if (isPlain(value)) return JSON.stringify(value);
  const found = findUnplain(value, name);
  // A getter that answers differently the second time is the only way to get here without a finding.
  throw new NotSerializable(found?.path ?? name, found?.what ?? 'not the same twice');
}

/**
 * Reads one message and hands each frame to `receive`, in order.
 * @throws BadFrame at the first line that is no frame; the frames before it have been received
 */
export function decodeMessage(text: string, receive: (frame: Frame) => void, newerVersion = false): void {
  let start = 0;
  while (start <= text.length) {
    let end = text.indexOf(SEPARATOR, start);
    if (end < 0) end = text.length;
    // An empty line is none: many writers end their last line, too.
    const line = start === 0 && end === text.length ? text : text.slice(start, end);
    const frame = line === '' ? undefined : decodeLine(line, newerVersion);
    if (frame) receive(frame);
    start = end + 1;
  }
}

function decodeLine(line: string, newerVersion: boolean): Frame | undefined {
  const value = parse(line);
  if (!isFields(value)) throw new BadFrame('a frame is not a JSON object');
  // Every level of nesting takes two characters, so a short line cannot be too deep.
  if (line.length > 2 * DEEPEST_FRAME && !isShallow(value)) throw new BadFrame('a frame is nested too deep');
  if (isFrame(value)) return value;
  if (newerVersion && !isKnownType(value['type'])) return undefined;
  throw new BadFrame('a frame has an unknown type or a wrong shape');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadFrame('a frame is not JSON');
  }
}
