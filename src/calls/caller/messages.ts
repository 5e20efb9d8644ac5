import type { Clock } from '../../base/time/clock.ts';
import type { ToCaller } from '../../connection/messages.ts';
import type { MeasuredCalls } from '../call-stats.ts';
import type { Call } from './call.ts';
import type { Rights } from '../../wire/handshake/pass.ts';

/** The input of the caller actor, and the messages that it receives. */

export interface CallerInput {
  /** Default: they are not counted. */
  measured?: MeasuredCalls;
  clock: Clock;
  /** Calls to one peer that may wait here. */
  queue: number;
  /** Whether a call under way keeps the process alive; not needed where the peer itself does. */
  holds: boolean;
  /** Whether errors of the user's streams are sent with their stack. */
  stacks: boolean;
  /** The pass of this peer, if it has one. */
  pass?: { readonly rights: Rights } | undefined;
}

export type CallerMessage =
  | ToCaller
  | Call
  | { type: 'call.cancel'; call: Call; reason: unknown }
  | { type: 'deadline.passed' }
  /** This peer ends: no call is answered any more. */
  | { type: 'caller.stop'; reason: string; cause?: unknown };
