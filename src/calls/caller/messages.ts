import type { ToCaller } from '../../connection/messages.ts';
import type { Call } from './call.ts';

/** The messages that the actor of outgoing calls takes. */

export type CallerMessage =
  | ToCaller
  | Call
  | { type: 'call.cancel'; call: Call; reason: unknown }
  | { type: 'deadline.passed' }
  /** This peer is at its end: nothing is answered any more. */
  | { type: 'caller.stop'; reason: string; cause?: unknown };
