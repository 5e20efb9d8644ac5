import type { SourceStep } from '../calls/streams/stream-source.ts';
import type { WriterSource } from '../calls/streams/stream-writer.ts';

/** An iterator, or the reader of a `ReadableStream`: its `return` may wait until a read under way has settled. */
interface Open {
  next(): unknown;
  end(): unknown;
}

/**
 * A stream that the user gave to be sent: any async iterable. Whoever leaves it waits for nothing, as the source may be silent for
 * ever. See `calls/streams/stream-source.ts`, which does more.
 */
export class PageSource implements WriterSource {
  readonly #stream: AsyncIterable<unknown>;
  #open: Open | undefined;
  #over = false;

  constructor(stream: AsyncIterable<unknown>) {
    this.#stream = stream;
  }

  /** Begins to read. @throws what the user's stream throws */
  open(): Open {
    return (this.#open ??= opened(this.#stream));
  }

  async next(): Promise<SourceStep> {
    if (this.#over) throw new Error('the call that this stream was given to has ended');
    let step: unknown;
    try {
      step = await this.open().next();
    } catch (error) {
      // An iterator that has failed has ended, and its `return` is not called.
      this.#over = true;
      throw error;
    }
    if (typeof step !== 'object' || step === null) {
      throw new TypeError('an iterator must return { done, value }');
    }
    const { done, value } = step as { done?: unknown; value?: unknown };
    this.#over = Boolean(done);
    return { done: this.#over, value };
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    // Nobody is left to be told what an abandoned source does later.
    try {
      Promise.resolve(this.open().end()).catch(() => {});
    } catch {
      // As above.
    }
  }
}

function opened(stream: AsyncIterable<unknown>): Open {
  const web = stream as unknown as ReadableStream<unknown>;
  if (typeof web.getReader === 'function') {
    const reader = web.getReader();
    return { next: () => reader.read(), end: () => reader.cancel() };
  }
  const iterator = stream[Symbol.asyncIterator]();
  const { destroy } = stream as { destroy?: unknown };
  const end =
    typeof destroy === 'function' ? () => destroy.call(stream) as unknown : () => iterator.return?.();
  return { next: () => iterator.next(), end };
}
