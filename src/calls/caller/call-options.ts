import { refuseUnknown } from '../../base/option-checks.ts';
import { NO_OPTIONS } from '../../presence/remote-peer.ts';
import type { CallOptions } from '../../presence/remote-peer.ts';

/** The options of a call, as a user gives them. */

// Exhaustive by its type: a new option that is missing here does not compile.
export const CALL_OPTIONS: Record<keyof CallOptions, true> = { deadline: true, signal: true };

/** @throws TypeError for what is no options, or has one that there is not */
export function checkCallOptions(options: unknown, known: Record<string, true> = CALL_OPTIONS): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError('give options, such as { deadline: 500 }');
  }
  refuseUnknown('option', options, known);
}

/** @throws TypeError for a call that cannot be meant: without it, it would be the other side that cannot read it */
export function checkCall(tag: unknown, args: unknown, options: CallOptions): void {
  if (typeof tag !== 'string') throw new TypeError('call(tag, args): give the tag of a function');
  if (!Array.isArray(args)) throw new TypeError('call(tag, args): give the arguments in an array');
  if (options !== NO_OPTIONS) checkCallOptions(options);
}
