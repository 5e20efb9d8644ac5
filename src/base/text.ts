/** Who a line is about. */
export interface Named {
  readonly name: string;
  readonly id: string;
}

/** `peer "render-1" (V1StGXR8_Z5jdHi6B-myT)`; names come from the wire, so they are escaped and cut. */
export function peerLine(peer: Named): string {
  return `peer ${printable(JSON.stringify(peer.name.slice(0, 64)))} (${peer.id})`;
}

/** Without control characters, and without those that turn the direction of what follows. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '\u{fffd}');
}
