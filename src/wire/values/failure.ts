import { NetError } from '../../base/errors.ts';
import { peerLine } from '../../base/text.ts';
import { assembleError, define, settleNetError } from './error-classes.ts';
import type { ErrorParts } from './error-classes.ts';
import type { WireCause, WireError, WireValue } from '../frames.ts';

/** What functions threw, from the fields of an error frame. `thrown.ts` is the way there. */

/** Who sent an error, for the line in the stack that says so. */
export interface Origin {
  name: string;
  id: string;
}

/** Puts together what was thrown there. `site` holds the frames of the local call, as `Error.stack` has them. */
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
  // A NetError that the function threw tells of a call that the function made. Of the call that brought it here it
  // says that the function ran, and so it must not invite anyone to run it again.
  if (error instanceof NetError) settleNetError(error, 'yes');
  define(error, 'stack', stitch(wire, origin, site));
  return error;
}

/** The remote frames, a line that names the peer, then the local call. */
function stitch(wire: WireError, origin: Origin, site: string): string {
  const remote = wire.stack ?? `${wire.name}${wire.message && `: ${wire.message}`}`;
  return `${remote}\n    at ${peerLine(origin)}${site && `\n${site}`}`;
}
