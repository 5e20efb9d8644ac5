import { isError } from './error-classes.ts';
import { writeError } from './error-parts.ts';
import type { Rich } from './meta.ts';
import { NotSerializable } from './not-serializable.ts';
import { DEEPEST_FRAME } from './plain.ts';
import { Encoder } from './rich.ts';
import { WRAPPER } from './trail.ts';

/** Turns what a function threw into the fields of an error frame. `failure.ts` does the reverse. */

/** How far a chain of causes is followed. The rest is cut off. */
const LONGEST_CHAIN = 16;

/** How many errors are sent with one thrown error: its causes and the errors of AggregateErrors together. */
const MOST_ERRORS = 256;

/** One level less than a frame may have, because the frame itself is around the error. */
const DEEPEST_ERROR = DEEPEST_FRAME - 1;

export interface DescribedThrown extends Rich {
  field: 'error' | 'thrown';
}

/**
 * Describes an error as `{ name, message, … }`, and any other value as `{ value }`. A value that cannot be sent becomes an error
 * that says so.
 * @param most characters and bytes. Text that is too long is cut, and parts beyond the limit are left out
 */
export function describeThrown(thrown: unknown, stacks: boolean, most: number): DescribedThrown {
  const options = { name: 'the thrown value', stacks, most, deepest: DEEPEST_ERROR };
  if (!isError(thrown)) {
    const encoder = new Encoder({ field: 'thrown', ...options });
    const description = new Description(encoder);
    const cause = description.cause(thrown, LONGEST_CHAIN);
    if (!('error' in cause)) return { field: 'thrown', ...encoder.finish(cause) };
    return { field: 'error', ...encoder.finish(cause.error) };
  }
  const encoder = new Encoder({ field: 'error', ...options });
  return { field: 'error', ...encoder.finish(new Description(encoder).error(thrown, LONGEST_CHAIN)) };
}

class Description {
  readonly #encoder: Encoder;
  /** How many more errors may be written, over everything that was thrown. */
  #left = MOST_ERRORS;

  constructor(encoder: Encoder) {
    this.#encoder = encoder;
  }

  error(error: Error, depth: number): Record<string, unknown> {
    this.#left -= 1;
    return writeError(this.#encoder, error, (value) => {
      if (depth === 0 || this.#left <= 0) throw new NotSerializable('a cause', 'one too many');
      return this.cause(value, depth - 1);
    });
  }

  /** Returns `{ error }` or `{ value }`, or `{}` for undefined. */
  cause(thrown: unknown, depth: number): { error: object } | { value?: unknown } {
    const encoder = this.#encoder;
    if (thrown === undefined) return {};
    encoder.enter(WRAPPER);
    try {
      if (isError(thrown)) {
        encoder.at('error');
        return { error: this.error(thrown, depth) };
      }
      encoder.at('value');
      let why = 'the thrown value is too large to be sent';
      const written = encoder.attempt(
        () => encoder.read(thrown),
        (error) => {
          if (NotSerializable.is(error)) why = error.message;
        },
      );
      if (written) return { value: written.json };
      return {
        error: {
          name: 'Error',
          message: encoder.cut(`something other than an Error was thrown, and ${why}`),
        },
      };
    } finally {
      encoder.leave();
    }
  }
}
