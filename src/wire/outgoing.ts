import { byteLength } from './engine.ts';

/** Encoded frames, ready to be sent. */

/** A frame ready to be sent: its text, or a Parcel if bytes belong to it. */
export type Outgoing = string | Parcel;

/** A frame, and the binary messages that are sent right before it. */
export class Parcel {
  readonly text: string;
  /** In the order in which the frame numbers them. They are views over the user's memory: nothing is copied. */
  readonly binaries: readonly Uint8Array[];

  constructor(text: string, binaries: readonly Uint8Array[]) {
    this.text = text;
    this.binaries = binaries;
  }
}

/**
 * The credit that a frame of a stream uses: the length of its text in characters plus its bytes. It is not the size on the wire,
 * because both sides would have to count that character by character.
 */
export function sizeOf(outgoing: Outgoing): number {
  if (typeof outgoing === 'string') return outgoing.length;
  return outgoing.text.length + lengthOf(outgoing.binaries);
}

/** The sum of the lengths, in bytes. */
export function lengthOf(binaries: readonly Uint8Array[]): number {
  let length = 0;
  for (const binary of binaries) length += binary.byteLength;
  return length;
}

/** Whether a frame together with its bytes has at most `bytes` bytes. A character takes three bytes at most. */
export function fits(outgoing: Outgoing, bytes: number): boolean {
  if (typeof outgoing === 'string') {
    return outgoing.length * 3 <= bytes || byteLength(outgoing) <= bytes;
  }
  return byteLength(outgoing.text) + lengthOf(outgoing.binaries) <= bytes;
}
