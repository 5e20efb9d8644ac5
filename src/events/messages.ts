import type { ToEvents } from '../connection/messages.ts';
import type { Link } from '../connection/link/link.ts';

/** The messages that the `events` actor receives. */

export type EventsMessage =
  | ToEvents
  /** A listener here wants the events that this peer emits under the name, or no longer wants them. */
  | { type: 'event.wanted'; name: string; peer: string }
  | { type: 'event.unwanted'; name: string; peer: string }
  /** Nobody here subscribes to the name any more. */
  | { type: 'event.forgotten'; name: string }
  /** Calls back when no event waits for any subscriber. */
  | { type: 'event.drain'; drained: () => void }
  /** Frames of a link have waited long enough for another link to end. */
  | { type: 'wait.over'; link: Link };
