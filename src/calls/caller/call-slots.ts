import type { Call } from './call.ts';
import { sentOver } from './sent-calls.ts';
import type { Link } from '../../connection/link.ts';
import type { CallerFrame } from '../../connection/messages.ts';

/** What the other side has room for: a caller keeps to the limits that it was told. */

/** Whether the call may be sent now. One that was taken back holds its place until its function has settled. */
export function hasRoom(link: Link, call: Call): boolean {
  const { calls, streams = Infinity } = link.limits;
  const sent = sentOver(link);
  if (link.congested || sent.places >= calls) return false;
  // One alone is sent in any case: that it is more than the other side takes at all is for that side to say.
  return !call.given || sent.streams === 0 || sent.streams + call.given.positions.length <= streams;
}

/** Streams of the call that the other side counts. */
export function openStreams(call: Call): number {
  return (call.given?.positions.length ?? 0) + (call.reader ? 1 : 0);
}

/** Whether no other frame follows about its call. */
export function isLast(frame: CallerFrame): boolean {
  if (frame.type === 'result') return frame.stream !== true;
  return frame.type === 'complete' || frame.type === 'error';
}
