import { whileHolding } from '../base/process/process-hold.ts';

export interface ResultsHooks {
  /** A result is asked for, for the first time. */
  started?: () => void;
  /** A result was handed over. */
  taken?: () => void;
  /** The loop was left. Called once, and not when all results were taken. */
  left?: () => void;
}

interface Waiting<T> {
  resolve: (result: IteratorResult<T, void>) => void;
  reject: (error: unknown) => void;
}

const DONE = { done: true, value: undefined } as const;

/**
 * Results for a `for await` loop, as `all` and `map` return them. You can iterate them once. Leaving the loop cancels the
 * calls that are still running.
 *
 * @example
 * const results = resize.all()(image, 200);
 * for await (const { status, peer } of results) {
 *   console.log(peer.name, status);
 *   break; // cancels the rest
 * }
 */
export interface Results<T> extends AsyncIterable<T>, AsyncDisposable {
  /** Resolves with the next result. */
  next(): Promise<IteratorResult<T, void>>;
  /** Cancels the calls that are still running, as leaving the loop does. */
  return(): Promise<IteratorResult<T, void>>;
  /** Returns itself. */
  [Symbol.asyncIterator](): this;
}

/**
 * Holds results between their arrival and the loop. It is not an async generator: leaving a generator that waits means
 * waiting too, while leaving this one ends at once.
 */
export class ResultQueue<T> implements Results<T> {
  readonly #hooks: ResultsHooks;
  #ready: T[] = [];
  #waiting: Waiting<T>[] = [];
  #started = false;
  /** Nothing more arrives. Its failure is thrown once, after the results that are ready. */
  #over: { failure?: { error: unknown } } | undefined;

  constructor(hooks: ResultsHooks) {
    this.#hooks = hooks;
  }

  push(result: T): void {
    if (this.#over) return;
    const waiting = this.#waiting.shift();
    if (!waiting) {
      this.#ready.push(result);
      return;
    }
    waiting.resolve({ done: false, value: result });
    this.#hooks.taken?.();
  }

  /** The loop ends after the results that are ready. */
  end(): void {
    if (this.#over) return;
    this.#over = {};
    for (const { resolve } of this.#waiting.splice(0)) resolve(DONE);
  }

  /** The loop throws after the results that are ready. */
  fail(error: unknown): void {
    if (this.#over) return;
    const [first, ...others] = this.#waiting.splice(0);
    this.#over = first ? {} : { failure: { error } };
    first?.reject(error);
    for (const { resolve } of others) resolve(DONE);
  }

  /** Drops the results that are ready and were not taken. */
  clear(): void {
    this.#ready = [];
  }

  next(): Promise<IteratorResult<T, void>> {
    if (!this.#started) {
      this.#started = true;
      this.#hooks.started?.();
    }
    if (this.#ready.length > 0) {
      const value = this.#ready.shift()!;
      this.#hooks.taken?.();
      return Promise.resolve({ done: false, value });
    }
    if (this.#over) {
      const { failure } = this.#over;
      this.#over = {};
      // The error comes from the user's own iterator, or is the reason of their signal, and may be any value.
      // oxlint-disable-next-line prefer-promise-reject-errors
      return failure ? Promise.reject(failure.error) : Promise.resolve(DONE);
    }
    return whileHolding(
      new Promise((resolve, reject) => {
        this.#waiting.push({ resolve, reject });
      }),
    );
  }

  return(): Promise<IteratorResult<T, void>> {
    const early = !this.#over || this.#ready.length > 0;
    this.#started = true;
    this.end();
    this.#over = {};
    this.clear();
    if (early) this.#hooks.left?.();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
