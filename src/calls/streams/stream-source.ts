import { unawaited } from '../../base/unforeseen.ts';

/** One step of a source, whatever kind it is: read once, so that a getter of the user's cannot say two things. */
export interface SourceStep {
  readonly done: boolean;
  readonly value: unknown;
}

/** What the three kinds of source have in common once they are opened. */
interface OpenSource {
  next(): unknown;
  /** Ends it, at once where the kind allows. */
  end(): unknown;
}

/** The part of a Node stream that is needed to own one. Told by its methods: user land has streams of its own classes. */
interface NodeStream extends AsyncIterable<unknown> {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  destroy(): unknown;
}

/**
 * What a user gave to be sent as a stream: an async iterable, a Node stream or a `ReadableStream`. Owns it from the
 * moment it was given until it has ended, and is the only place that touches it.
 *
 * To leave a source must not depend on the source. The `return()` of an async generator, and of the iterators of Node's
 * streams and ReadableStreams, waits until a `next()` under way has settled, and a silent source never does that. So a
 * Node stream is destroyed and a ReadableStream cancelled by its reader; of a generator nobody waits for the `return()`.
 */
export class StreamSource {
  readonly #stream: AsyncIterable<unknown>;
  #open: OpenSource | undefined;
  #over = false;

  /** @param failed is told when a Node stream emits an `error`, whether or not it is being read */
  constructor(stream: AsyncIterable<unknown>, failed: (error: unknown) => void = ignore) {
    this.#stream = stream;
    // An `error` that nobody listens to ends the process. The listener stays for good: streams fail late, too.
    if (isNodeStream(stream)) stream.on('error', failed);
  }

  /** Begins to read it. @throws what the user's stream throws */
  open(): void {
    this.#opened();
  }

  /** @throws what the source fails with; TypeError for an iterator that does not keep to its protocol */
  async next(): Promise<SourceStep> {
    if (this.#over) throw new Error('the stream has ended: the call it was given to is over');
    let step: unknown;
    try {
      step = await this.#opened().next();
    } catch (error) {
      // An iterator that has failed is over, and is not asked to return.
      this.#over = true;
      throw error;
    }
    if (typeof step !== 'object' || step === null) {
      throw new TypeError('the iterator of the stream gave no object with `done` and `value`');
    }
    const done = Boolean((step as { done?: unknown }).done);
    const { value } = step as { value?: unknown };
    if (done) this.#over = true;
    return { done, value };
  }

  /** Ends it, as `break` does, and waits for nothing. It may be asked again, and never throws. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    unawaited('with a stream that was left', this.#close());
  }

  async #close(): Promise<void> {
    try {
      await (this.#open ? this.#open.end() : endUnopened(this.#stream));
    } catch {
      // What a source that was left does later is its own affair, and there is nobody who could be told.
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

/** Ends what was never read. An iterable that is no iterator itself has begun nothing, so there is nothing to end. */
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
    // A getter of the user's that throws makes no method.
    return false;
  }
}

function ignore(): void {}
