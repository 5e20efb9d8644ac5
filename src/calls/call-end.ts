import { NetError, isNetErrorCode, ranOf } from '../base/errors.ts';
import type { NetErrorCode, Ran } from '../base/errors.ts';
import { messageOf, nameOr } from '../base/text.ts';
import type { ErrorFrame } from '../wire/frames.ts';
import { classNames } from '../wire/values/error-classes.ts';

/**
 * How a call ended. For a call that returned a stream this is the end of the stream.
 *
 * @example
 * use((call, next) => {
 *   const start = performance.now();
 *   call.finished.then(({ ok, code }) => {
 *     console.log(call.tag, ok ? 'ok' : (code ?? 'threw'), performance.now() - start);
 *   });
 *   return next();
 * });
 */
export interface CallEnd {
  /** Whether the function returned, or its stream came to its end. */
  readonly ok: boolean;
  /** Why the call itself failed; undefined when it succeeded or when the function threw. */
  readonly code: NetErrorCode | undefined;
  /** Whether the function ran. */
  readonly ran: Ran;
  /** The name of the class of the error that the function threw, or `NetError`; undefined when it succeeded. */
  readonly error: string | undefined;
  /** The message of that error. */
  readonly message: string | undefined;
}

export const OK: CallEnd = Object.freeze({
  ...{ ok: true, code: undefined, ran: 'yes', error: undefined, message: undefined },
} as const);

export function failed(code: NetErrorCode, message: string, ran: Ran = ranOf(code)): CallEnd {
  return { ok: false, code, ran, error: 'NetError', message };
}

/** The end of a call that failed with this: what a function threw, or the failure of the call itself. */
export function endOf(error: unknown): CallEnd {
  if (error instanceof NetError) return failed(error.code, error.message, error.ran);
  return threw(nameOfThrown(error), messageOf(error));
}

/** The end of a call that was answered with this frame. */
export function endOfFrame({ error, failure, thrown }: ErrorFrame): CallEnd {
  if (failure) {
    const code = isNetErrorCode(failure.code) ? failure.code : 'BAD_REQUEST';
    return failed(code, failure.message, failure.ran);
  }
  return error
    ? threw(classOf(error.name, error.classes), error.message)
    : threw(typeof thrown?.value, messageOf(thrown?.value));
}

function threw(error: string, message: string): CallEnd {
  return { ok: false, code: undefined, ran: 'yes', error, message };
}

/** The class of an error, or the type of another value. It may be the user's, and reading it may throw. */
function nameOfThrown(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return typeof thrown;
  try {
    return classOf(nameOr((thrown as { name?: unknown }).name, 'object'), classNames(thrown));
  } catch {
    return 'object';
  }
}

/**
 * A class without a `name` of its own inherits that of the built-in class, and its own name says more.
 * @param classes from the class of the error down to a built-in one
 */
function classOf(name: string, classes: readonly string[] = []): string {
  return name === classes.at(-1) ? classes[0]! : name;
}
