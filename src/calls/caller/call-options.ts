import { refuseUnknown } from '../../base/option-checks.ts';
import { NO_OPTIONS } from '../../presence/set/remote-peer.ts';
import type { CallOptions } from '../../presence/set/remote-peer.ts';

/** The options of a call, as a user gives them. */

// The type makes the list complete: a new option that is missing here does not compile.
export const CALL_OPTIONS: Record<keyof CallOptions, true> = { deadline: true, signal: true, meta: true };

/** @throws TypeError when `options` is not an object, or has an unknown option */
export function checkCallOptions(options: unknown, known: Record<string, true> = CALL_OPTIONS): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError('options must be an object, such as { deadline: 500 }');
  }
  refuseUnknown('option', options, known);
}

/**
 * Checks a call here, because otherwise the other side would fail to read it.
 * @throws TypeError for a call that cannot be right
 */
export function checkCall(tag: unknown, args: unknown, options: CallOptions): void {
  if (typeof tag !== 'string')
    throw new TypeError('call(tag, args): tag must be a string, the tag of a function');
  if (!Array.isArray(args)) throw new TypeError('call(tag, args): args must be an array of arguments');
  if (options !== NO_OPTIONS) checkCallOptions(options);
}
