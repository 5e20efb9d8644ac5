import { printable } from './text.ts';

/** The peer that a line is about. */
export interface Named {
  readonly name: string;
  readonly id: string;
}

/** `peer "render-1" (V1StGXR8_Z5jdHi6B-myT)`. Names come from the wire, so they are escaped and cut. */
export function peerLine(peer: Named): string {
  return `peer ${printable(JSON.stringify(peer.name.slice(0, 64)))} (${peer.id})`;
}
