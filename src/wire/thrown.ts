import { isError } from './values/error-classes.ts';
import { writeError } from './error-parts.ts';
import type { Rich } from './values/meta.ts';
import { NotSerializable } from './values/not-serializable.ts';
import { DEEPEST_FRAME } from './values/plain.ts';
import { Encoder } from './values/rich.ts';
import { WRAPPER } from './values/trail.ts';

/** What functions throw, to the fields of an error frame. `failure.ts` is the way back. */

/** How far a chain of causes is followed. Further down it is cut. */
const LONGEST_CHAIN = 16;

/** How many errors one thrown error is carried with, causes and the errors of AggregateErrors together. */
const MOST_ERRORS = 256;

/** Around the values of the user's in an error there are those that make it up, and the frame. */
const DEEPEST_ERROR = DEEPEST_FRAME - 1;

export interface DescribedThrown extends Rich {
  field: 'error' | 'thrown';
}

/**
 * An error as `{ name, message, … }`, anything else as `{ value }`, and what cannot be carried as an error that says so.
 * @param most characters and bytes. What is longer is cut, and what is beyond them is left out
 */
export function describeThrown(thrown: unknown, stacks: boolean, most: number): DescribedThrown {
  const options = { name: 'what was thrown', stacks, most, deepest: DEEPEST_ERROR };
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
  /** Counts down over the whole of what was thrown. */
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

  /** `{ error }`, or `{ value }`; neither for undefined. */
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
      let why = 'what was thrown is too large to be carried';
      const written = encoder.attempt(
        () => encoder.read(thrown),
        (error) => {
          if (NotSerializable.is(error)) why = error.message;
        },
      );
      if (written) return { value: written.json };
      return { error: { name: 'Error', message: encoder.cut(`no error was thrown, and ${why}`) } };
    } finally {
      encoder.leave();
    }
  }
}
