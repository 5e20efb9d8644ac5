import { NetError } from '../../base/errors.ts';
import { peerLine } from '../../base/peer-line.ts';
import { assembleError, define, settleNetError } from './error-classes.ts';
import type { ErrorParts } from './error-classes.ts';
import type { WireCause, WireError, WireValue } from '../frames.ts';

/** Rebuilds what a function threw from the fields of an error frame. `thrown.ts` writes them. */

/** The peer that sent an error, for the line in the stack that names it. */
export interface Origin {
  name: string;
  id: string;
}

/** Rebuilds what was thrown there. `site` has the stack frames of the local call, in the form of `Error.stack`. */
export function reviveThrown(
  wire: { error?: WireError; thrown?: WireValue },
  origin: Origin,
  site: string,
): unknown {
  return wire.error ? reviveError(wire.error, origin, site) : wire.thrown?.value;
}

function reviveCause(cause: WireCause, origin: Origin): unknown {
  return 'error' in cause ? reviveError(cause.error, origin, '') : cause.value;
}

function reviveError(wire: WireError, origin: Origin, site: string): Error {
  const { cause, errors, ...rest } = wire;
  const parts: ErrorParts = rest;
  if (cause) parts.cause = reviveCause(cause, origin);
  if (errors) parts.errors = errors.map((each) => reviveCause(each, origin));
  const error = assembleError(parts);
  // A NetError thrown by the function is about a call that the function itself made. For the call that brought it here, it means
  // that the function ran, so the error must not suggest a retry.
  if (error instanceof NetError) settleNetError(error, 'yes');
  define(error, 'stack', stitch(wire, origin, site));
  return error;
}

/** The stack of an error of another process, which may not have sent one. */
export function stackOf({ stack, name, message }: Pick<ErrorParts, 'stack' | 'name' | 'message'>): string {
  return stack ?? `${name}${message && `: ${message}`}`;
}

/** The remote stack frames, a line that names the peer, then the frames of the local call. */
function stitch(wire: WireError, origin: Origin, site: string): string {
  return `${stackOf(wire)}\n    at ${peerLine(origin)}${site && `\n${site}`}`;
}
