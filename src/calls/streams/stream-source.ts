import { unawaited } from '../../base/unforeseen.ts';

/** One step of a source of any kind. It is read once, so that a user's getter cannot give two answers. */
export interface SourceStep {
  readonly done: boolean;
  readonly value: unknown;
}

/** What the three kinds of source have in common once they are opened. */
interface OpenSource {
  next(): unknown;
  /** Ends it, immediately where the kind allows that. */
  end(): unknown;
}

/**
 * The part of a Node stream that is needed to own one. It is recognized by its methods, because packages have stream
 * classes of their own.
 */
interface NodeStream extends AsyncIterable<unknown> {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  destroy(): unknown;
}

/**
 * A stream that a user gave to be sent: an async iterable, a Node stream or a `ReadableStream`. This class owns it from
 * the moment it was given until it has ended, and is the only place that touches it.
 *
 * Leaving a source must not depend on the source. The `return()` of an async generator, and of the iterators of Node's
 * streams and ReadableStreams, waits until a `next()` under way has settled. A silent source never settles it. So a
 * Node stream is destroyed, a ReadableStream is cancelled by its reader, and nobody waits for the `return()` of a
 * generator.
 *
 * A peer that stops does not take a call, although the first values of its stream are already on their way. So steps can
 * be kept until the other side has the call, and be read again for another peer.
 */
export class StreamSource {
  readonly #stream: AsyncIterable<unknown>;
  #open: OpenSource | undefined;
  #over = false;
  /** It was left before its end. Steps that were kept are not read any more either. */
  #left = false;
  /** Steps that may have to be read once more, those under way among them. */
  #kept: Promise<SourceStep>[] = [];
  #keeps: boolean;
  /** How many of them have been read since the last `rewind`. */
  #at = 0;

  /**
   * @param failed is called when a Node stream emits `error`, whether or not it is being read
   * @param keeps whether steps are kept until `forget`
   */
  constructor(stream: AsyncIterable<unknown>, failed: (error: unknown) => void = ignore, keeps = false) {
    this.#stream = stream;
    this.#keeps = keeps;
    // An `error` event without a listener ends the process. The listener stays for good, because streams fail late,
    // too.
    if (isNodeStream(stream)) stream.on('error', failed);
  }

  /** Begins to read the stream. @throws what the user's stream throws */
  open(): void {
    this.#opened();
  }

  /** Whether everything that was read can be read once more. */
  get rewindable(): boolean {
    return this.#keeps && !this.#left;
  }

  /** The next step is the first one again. */
  rewind(): void {
    this.#at = 0;
  }

  /** Nobody will rewind it. */
  forget(): void {
    this.#keeps = false;
    if (this.#at === this.#kept.length) this.#kept = [];
  }

  /** @throws the error of the source; TypeError for an iterator that breaks the iterator protocol */
  next(): Promise<SourceStep> {
    const kept = this.#left ? undefined : this.#kept[this.#at];
    const step = kept ?? this.#read();
    if (kept || this.#keeps) {
      if (!kept) this.#kept.push(step);
      this.#at += 1;
    }
    return step;
  }

  async #read(): Promise<SourceStep> {
    if (this.#over) throw new Error('the stream has ended, because the call that it was given to has ended');
    let step: unknown;
    try {
      step = await this.#opened().next();
    } catch (error) {
      // An iterator that has failed has ended, and its `return` is not called.
      this.#over = true;
      throw error;
    }
    if (typeof step !== 'object' || step === null) {
      throw new TypeError('the iterator of the stream must return an object with `done` and `value`');
    }
    const done = Boolean((step as { done?: unknown }).done);
    const { value } = step as { value?: unknown };
    if (done) this.#over = true;
    return { done, value };
  }

  /** Ends it, as `break` does, and waits for nothing. It may be called again, and never throws. */
  end(): void {
    this.#left = true;
    this.#kept = [];
    if (this.#over) return;
    this.#over = true;
    unawaited('with a stream that was left', this.#close());
  }

  async #close(): Promise<void> {
    try {
      await (this.#open ? this.#open.end() : endUnopened(this.#stream));
    } catch {
      // Nobody is left to be told what an abandoned source does later.
    }
  }

  #opened(): OpenSource {
    return (this.#open ??= openSource(this.#stream));
  }
}

function openSource(stream: AsyncIterable<unknown>): OpenSource {
  if (isWebStream(stream)) {
    const reader = stream.getReader();
    return { next: () => reader.read(), end: () => reader.cancel() };
  }
  const iterator = stream[Symbol.asyncIterator]();
  const end = isNodeStream(stream) ? () => stream.destroy() : () => iterator.return?.();
  return { next: () => iterator.next(), end };
}

/**
 * Ends a stream that was never read. An iterable that is not an iterator itself has begun nothing, so it needs no end.
 */
function endUnopened(stream: AsyncIterable<unknown>): unknown {
  if (isNodeStream(stream)) return stream.destroy();
  if (isWebStream(stream)) return stream.cancel();
  return (stream as Partial<AsyncIterator<unknown>>).return?.();
}

function isNodeStream(stream: AsyncIterable<unknown>): stream is NodeStream {
  return has(stream, 'on') && has(stream, 'destroy');
}

function isWebStream(stream: AsyncIterable<unknown>): stream is ReadableStream<unknown> {
  return has(stream, 'getReader') && has(stream, 'cancel');
}

function has(stream: object, method: string): boolean {
  try {
    return typeof (stream as Record<string, unknown>)[method] === 'function';
  } catch {
    // A getter that throws counts as no method.
    return false;
  }
}

function ignore(): void {}
