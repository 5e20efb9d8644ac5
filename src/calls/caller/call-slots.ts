import type { Call } from './call.ts';
import { sentOver } from './sent-calls.ts';
import type { Link } from '../../connection/link/link.ts';
import type { CallerFrame } from '../../connection/messages.ts';

/** The room that the other side has: a caller keeps to the limits that it was told. */

/** Whether the call may be sent now. A cancelled call keeps its place until its function has settled. */
export function hasRoom(link: Link, call: Call): boolean {
  const { calls, streams = Infinity } = link.limits;
  const sent = sentOver(link);
  if (link.congested || sent.places >= calls) return false;
  // A call is always sent when no other stream is open. If it alone is too much for the other side, that side says so.
  return !call.given || sent.streams === 0 || sent.streams + call.given.positions.length <= streams;
}

/** Streams of the call that the other side counts. */
export function openStreams(call: Call): number {
  return (call.given?.positions.length ?? 0) + (call.reader ? 1 : 0);
}

/** Whether this is the last frame about its call. */
export function isLast(frame: CallerFrame): boolean {
  if (frame.type === 'result') return frame.stream !== true;
  return frame.type === 'complete' || frame.type === 'error';
}
