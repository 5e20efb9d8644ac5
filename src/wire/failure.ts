import { NetError } from '../errors.ts';
import { assembleError, basicsOf, define, isError, propertiesOf, settleNetError } from './error-classes.ts';
import type { ErrorParts } from './error-classes.ts';
import type { WireCause, WireError, WireValue } from './frames.ts';
import { isCarried, whyNotCarried } from './rich.ts';

/** What functions throw, to and from the fields of an error frame. */

/** How far a chain of causes is followed. Further down it is cut. */
const LONGEST_CHAIN = 16;

/** How many errors one thrown error is carried with, causes and the errors of AggregateErrors together. */
const MOST_ERRORS = 256;

/** What was thrown, as the fields of an error frame. Never throws, whatever `thrown` is. */
export function describeThrown(
  thrown: unknown,
  options: { stacks: boolean },
): { error: WireError } | { thrown: WireValue } {
  try {
    const cause = describeCause(thrown, { ...options, left: MOST_ERRORS }, LONGEST_CHAIN);
    if ('error' in cause) return cause;
    return { thrown: cause };
  } catch {
    // An error with a getter that throws, or a hostile proxy.
    return { error: { name: 'Error', message: 'an error was thrown that cannot be read' } };
  }
}

/** `left` counts down over the whole of what was thrown. */
interface Description {
  readonly stacks: boolean;
  left: number;
}

function describeCause(thrown: unknown, description: Description, depth: number): WireCause {
  if (isError(thrown)) return { error: describeError(thrown, description, depth) };
  if (thrown === undefined) return {};
  const why = whyNotCarried(thrown, 'what was thrown');
  if (why === undefined) return { value: thrown };
  return { error: { name: 'Error', message: `no error was thrown, and ${why}` } };
}

function describeError(error: Error, description: Description, depth: number): WireError {
  description.left -= 1;
  const wire: WireError = basicsOf(error, description.stacks);
  const { code } = error as { code?: unknown };
  if (code !== undefined && isCarried(code)) wire.code = code;
  for (const [key, value] of propertiesOf(error)) {
    if (isCarried(value)) (wire.properties ??= {})[key] = value;
  }
  if (depth > 0 && description.left > 0) {
    if (Object.hasOwn(error, 'cause')) wire.cause = describeCause(error.cause, description, depth - 1);
    const { errors } = error as { errors?: unknown };
    if (error instanceof AggregateError && Array.isArray(errors)) {
      wire.errors = [];
      for (const each of errors as unknown[]) {
        if (description.left > 0) wire.errors.push(describeCause(each, description, depth - 1));
      }
    }
  }
  return wire;
}

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

/** `peer "render-1" (V1StGXR8_Z5jdHi6B-myT)`; names come from the wire, so they are escaped and cut. */
export function peerLine(origin: Origin): string {
  return `peer ${printable(JSON.stringify(origin.name.slice(0, 64)))} (${origin.id})`;
}

/** Without control characters, and without those that turn the direction of what follows. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '\u{fffd}');
}
