/** What a connection is given to send. */

/** A frame ready to be sent: its text; or a Parcel, when bytes go with it. */
export type Outgoing = string | Parcel;

/** A frame and the binary messages that go right before it. */
export class Parcel {
  readonly text: string;
  /** In the order in which the frame counts them. Views onto the user's own memory: nothing is copied. */
  readonly binaries: readonly Uint8Array[];

  constructor(text: string, binaries: readonly Uint8Array[]) {
    this.text = text;
    this.binaries = binaries;
  }
}

/**
 * How much credit of its stream a frame takes: the length of its text and of the bytes that go with it. Not its bytes
 * on the wire, which would have to be counted character by character on both sides.
 */
export function sizeOf(outgoing: Outgoing): number {
  if (typeof outgoing === 'string') return outgoing.length;
  return outgoing.text.length + lengthOf(outgoing.binaries);
}

/** Bytes. */
export function lengthOf(binaries: readonly Uint8Array[]): number {
  let length = 0;
  for (const binary of binaries) length += binary.byteLength;
  return length;
}

/** Whether a frame, with the bytes that go with it, is at most so many bytes. A character takes three at the most. */
export function fits(outgoing: Outgoing, bytes: number): boolean {
  if (typeof outgoing === 'string') {
    return outgoing.length * 3 <= bytes || Buffer.byteLength(outgoing) <= bytes;
  }
  return Buffer.byteLength(outgoing.text) + lengthOf(outgoing.binaries) <= bytes;
}
