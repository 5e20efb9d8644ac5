import { expect } from 'chai';

import { BadFrame } from '../../src/wire/bad-frame.ts';
import { Arrivals } from '../../src/wire/binary.ts';
import { decodeMessage } from '../../src/wire/codec.ts';
import type { Frame, UnreadableFrame } from '../../src/wire/frames.ts';
import { isFrame } from '../../src/wire/guards.ts';
import { reviveThrown } from '../../src/wire/values/failure.ts';

/**
 * The outcome of a stranger's annotations and bytes must be values in their places, an `unreadable` frame, or a
 * BadFrame. It must never be another error, a changed prototype, or a long time.
 */

export type Fields = Record<string, unknown>;
export type Received = Frame | UnreadableFrame;

const BUILT_IN = [Object, Array, Function, Error, String, Map, Set, Date, RegExp, URL, Uint8Array, Buffer];
const fingerprint = (): string =>
  BUILT_IN.map(({ prototype }) =>
    Reflect.ownKeys(prototype as object)
      .map(String)
      .join(),
  ).join(';');
const untouched = fingerprint();

/** The limit of a message, in bytes. */
export const MOST = 32 * 1024 * 1024;

/** The frames of a text message and the binary ones before it. Fails on any outcome that is not allowed. */
export function survive(text: string, binaries: readonly Uint8Array[] = []): Received[] | 'bad' {
  const frames: Received[] = [];
  try {
    const arrivals = new Arrivals(MOST);
    for (const binary of binaries) arrivals.add(binary);
    decodeMessage(text, { frame: (frame) => frames.push(frame) }, false, arrivals);
  } catch (error) {
    if (!(error instanceof BadFrame)) throw error;
    return 'bad';
  }
  if (fingerprint() !== untouched) expect.fail('a prototype was changed');
  for (const frame of frames) {
    if (frame.type === 'unreadable') {
      expect(frame.message).to.match(/^it[s]? /);
      continue;
    }
    if (!isFrame(frame as unknown as Fields)) expect.fail('a frame lost its shape');
    // A frame that is accepted as an error must also be fit to be revived.
    if (frame.type === 'error') reviveThrown(frame, { name: 'stranger', id: 'x' }, '');
  }
  return frames;
}

/** The outcome for a result with this meta and value: its value, the type of its frame, or `bad`. */
export function revive(
  values: unknown,
  value: unknown,
  more: object = {},
  binaries: Uint8Array[] = [],
): unknown {
  const frames = survive(
    JSON.stringify({ type: 'result', id: 1, value, meta: { values, ...more } }),
    binaries,
  );
  if (frames === 'bad') return 'bad';
  const [frame] = frames;
  return frame?.type === 'result' ? { value: frame.value } : frame?.type;
}
