import { Arrivals } from '../../src/wire/binary.ts';
import { decodeMessage } from '../../src/wire/codec.ts';
import type { Frame, UnreadableFrame } from '../../src/wire/frames.ts';
import type { Outgoing } from '../../src/wire/outgoing.ts';

/** The text of a frame that no bytes go with. */
export function textOf(outgoing: Outgoing): string {
  if (typeof outgoing !== 'string') throw new TypeError('bytes go with the frame');
  return outgoing;
}

/**
 * Over the wire: the bytes first, as copies, then the text. Every frame that comes out. The copies lie as they do in
 * what was read from a socket: anywhere.
 */
export function receive(outgoing: Outgoing, newerVersion = false): (Frame | UnreadableFrame)[] {
  const frames: (Frame | UnreadableFrame)[] = [];
  const arrivals = new Arrivals(64 * 1024 * 1024);
  const { text, binaries } = typeof outgoing === 'string' ? { text: outgoing, binaries: [] } : outgoing;
  for (const binary of binaries) {
    const read = new Uint8Array(binary.byteLength + 1);
    read.set(binary, 1);
    arrivals.add(read.subarray(1));
  }
  decodeMessage(text, { frame: (frame) => frames.push(frame) }, newerVersion, arrivals);
  return frames;
}
