import { isStream } from '../../base/value-shape.ts';
import { StreamSource } from './stream-source.ts';

/**
 * The arguments of one call that are streams. They have an owner from the moment the user gives them: whatever the call
 * then waits for, a Node stream that fails meanwhile fails the call and not the process, and however the call ends, they
 * are ended with it.
 *
 * The call itself owns them, unless something around it does that may make it again on another peer (`any`, `map`), or
 * not at all. That one has lent them, and ends them if no call has begun to send them.
 */
export class GivenStreams {
  /** Where they are among the arguments, ascending. */
  readonly positions: readonly number[];
  /** Whether something around the call owns them until they are sent. */
  readonly lent: boolean;
  readonly #sources: readonly StreamSource[];
  readonly #failure = new AbortController();
  #begun = false;

  private constructor(args: readonly unknown[], positions: readonly number[], lent: boolean) {
    this.positions = positions;
    this.lent = lent;
    const failed = (error: unknown): void => {
      // Once it is sent, its failure goes the way of its values.
      if (!this.#begun) this.#failure.abort(error);
    };
    this.#sources = positions.map(
      (position) => new StreamSource(args[position] as AsyncIterable<unknown>, failed),
    );
  }

  /**
   * Takes those among the arguments; undefined when there are none, as in most calls.
   * @param lent whether something around the call owns them until they are sent
   */
  static among(args: readonly unknown[] | undefined, lent = false): GivenStreams | undefined {
    const positions = streamsIn(args);
    return positions && new GivenStreams(args!, positions, lent);
  }

  /** Aborted with its error when one of them fails before it is sent. */
  get signal(): AbortSignal {
    return this.#failure.signal;
  }

  /** A call sends them from now on. */
  begin(): readonly StreamSource[] {
    this.#begun = true;
    return this.#sources;
  }

  /** Ends them if no call has begun to send them: that one ends them itself. */
  release(): void {
    if (!this.#begun) this.end();
  }

  end(): void {
    for (const source of this.#sources) source.end();
  }

  /** What becomes of a call around which the user's own code runs, which may never make it. */
  async around(call: () => Promise<unknown>): Promise<unknown> {
    let unwatch: (() => void) | undefined;
    try {
      return await new Promise((resolve, reject) => {
        unwatch = this.onFailure(reject);
        if (!this.signal.aborted) call().then(resolve, reject);
      });
    } finally {
      unwatch?.();
      if (!this.lent) this.release();
    }
  }

  /** @returns what ends the watch */
  onFailure(failed: (error: unknown) => void): () => void {
    const { signal } = this;
    if (signal.aborted) failed(signal.reason);
    const listener = (): void => failed(signal.reason);
    signal.addEventListener('abort', listener, { once: true });
    return () => signal.removeEventListener('abort', listener);
  }
}

/** Which of the arguments are streams; undefined when none is. */
export function streamsIn(args: readonly unknown[] | undefined): number[] | undefined {
  // What is no list of arguments is refused a moment later.
  if (!Array.isArray(args)) return undefined;
  let streams: number[] | undefined;
  for (let position = 0; position < args.length; position += 1) {
    if (isStream(args[position])) (streams ??= []).push(position);
  }
  return streams;
}

/** A signal that is aborted with either of the two. */
export function orFailure(
  signal: AbortSignal | undefined,
  given: GivenStreams | undefined,
): AbortSignal | undefined {
  if (!given) return signal;
  return signal ? AbortSignal.any([signal, given.signal]) : given.signal;
}
