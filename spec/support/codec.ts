import { Arrivals } from '../../src/wire/binary.ts';
import { decodeMessage } from '../../src/wire/codec.ts';
import type { Frame, UnreadableFrame } from '../../src/wire/frames.ts';
import type { Outgoing } from '../../src/wire/outgoing.ts';

/** The text of a frame that no bytes go with. */
export function textOf(outgoing: Outgoing): string {
  if (typeof outgoing !== 'string') throw new TypeError('bytes go with the frame');
  return outgoing;
}

/** Over the wire: the bytes first, as copies, then the text. Every frame that comes out. */
export function receive(outgoing: Outgoing, newerVersion = false): (Frame | UnreadableFrame)[] {
  const frames: (Frame | UnreadableFrame)[] = [];
  const arrivals = new Arrivals(64 * 1024 * 1024);
  const { text, binaries } = typeof outgoing === 'string' ? { text: outgoing, binaries: [] } : outgoing;
  for (const binary of binaries) arrivals.add(Uint8Array.from(binary));
  decodeMessage(text, { frame: (frame) => frames.push(frame) }, newerVersion, arrivals);
  return frames;
}
