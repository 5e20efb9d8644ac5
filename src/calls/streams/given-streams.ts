import { isStream } from '../../base/value-shape.ts';
import { StreamSource } from './stream-source.ts';

/**
 * The arguments of one call that are streams. They have an owner from the moment the user gives them. So a Node stream
 * that fails while the call still waits fails the call and not the process. When the call ends, for whatever reason,
 * the streams are ended too.
 *
 * Usually the call itself owns them. But `any` and `map` may repeat a call on another peer, or not make it at all. Then
 * they own the streams and lend them to the call, and end them if no call has begun to send them.
 * A call that the other side did not take gives them back as they were: the values that were sent are kept until the
 * other side shows that it has the call.
 */
export class GivenStreams {
  /** Their positions among the arguments, ascending. */
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
      // After sending has begun, a failure goes the same way as the values.
      if (!this.#begun) this.#failure.abort(error);
    };
    this.#sources = positions.map(
      (position) => new StreamSource(args[position] as AsyncIterable<unknown>, failed, lent),
    );
  }

  /**
   * Takes the streams among the arguments; undefined when there are none, as in most calls.
   * @param lent whether something around the call owns them until they are sent
   */
  static among(args: readonly unknown[] | undefined, lent = false): GivenStreams | undefined {
    const positions = streamsIn(args);
    return positions && new this(args!, positions, lent);
  }

  /** Aborted with the stream's error when one of them fails before it is sent. */
  get signal(): AbortSignal {
    return this.#failure.signal;
  }

  /** From now on a call sends them. */
  begin(): readonly StreamSource[] {
    this.#begun = true;
    return this.#sources;
  }

  /** Whether a call has them, and has not given them back. */
  get sent(): boolean {
    return this.#begun;
  }

  /** The other side has the call: what was sent is not sent again. */
  taken(): void {
    for (const source of this.#sources) source.forget();
  }

  /** The other side did not take the call. @returns whether another one may send them from the beginning */
  giveBack(): boolean {
    if (!this.#sources.every((source) => source.rewindable)) return false;
    for (const source of this.#sources) source.rewind();
    this.#begun = false;
    return true;
  }

  /** Ends them if no call has begun to send them. A call that has begun ends them itself. */
  release(): void {
    if (!this.#begun) this.end();
  }

  end(): void {
    for (const source of this.#sources) source.end();
  }

  /** Makes a call around which the user's hooks run. Those may never make it, so this ends the streams afterwards. */
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

  /** @returns a function that ends the watch */
  onFailure(failed: (error: unknown) => void): () => void {
    const { signal } = this;
    if (signal.aborted) failed(signal.reason);
    const listener = (): void => failed(signal.reason);
    signal.addEventListener('abort', listener, { once: true });
    return () => signal.removeEventListener('abort', listener);
  }
}

/** The positions of the arguments that are streams; undefined when none is. */
export function streamsIn(args: readonly unknown[] | undefined): number[] | undefined {
  // Anything but an array is refused a moment later.
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
