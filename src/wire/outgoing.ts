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

/** Whether a frame, with the bytes that go with it, is at most so many bytes. A character takes three at the most. */
export function fits(outgoing: Outgoing, bytes: number): boolean {
  if (typeof outgoing === 'string') {
    return outgoing.length * 3 <= bytes || Buffer.byteLength(outgoing) <= bytes;
  }
  let size = Buffer.byteLength(outgoing.text);
  for (const binary of outgoing.binaries) size += binary.byteLength;
  return size <= bytes;
}
