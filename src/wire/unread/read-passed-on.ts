import { BadFrame } from '../bad-frame.ts';
import { Arrivals } from '../binary.ts';
import { decodeMessage } from '../codec.ts';
import type { FrameReceiver } from '../codec.ts';
import type { Frame, RequestFrame, UnreadableFrame } from '../frames.ts';
import { readingAll } from './passed-on.ts';
import { REQUEST } from '../usual-frames.ts';

/** Reads a request that was to be passed on. @throws BadFrame */
export function readPassedOn({ id, passedOn }: RequestFrame): RequestFrame | UnreadableFrame {
  return readRequest(REQUEST + id + passedOn!.rest, passedOn!.binaries);
}

/** Reads the line of a request. @throws BadFrame */
export function readRequest(line: string, binaries: readonly Uint8Array[]): RequestFrame | UnreadableFrame {
  const frame = readingAll(() => readFrame(line, binaries));
  if (frame.type === 'request' || (frame.type === 'unreadable' && frame.of === 'request')) return frame;
  throw new BadFrame('a frame has an unknown type or a wrong shape');
}

/** Reads one line. @throws BadFrame */
export function readFrame(line: string, binaries: readonly Uint8Array[]): Frame | UnreadableFrame {
  last = undefined;
  if (binaries.length === 0) {
    decodeMessage(line, RECEIVER);
  } else {
    const arrivals = new Arrivals(Infinity);
    for (const each of binaries) arrivals.add(each);
    decodeMessage(line, RECEIVER, false, arrivals);
  }
  if (!last) throw new BadFrame('a frame is missing');
  return last;
}

/** One for all lines: threads read hundreds of thousands a second. */
let last: Frame | UnreadableFrame | undefined;
const RECEIVER: FrameReceiver = { frame: (frame) => (last = frame) };
