import { whileHolding } from '../base/process-hold.ts';

export interface ResultsHooks {
  /** Somebody asks for a result, for the first time. */
  started?: () => void;
  /** A result was handed over. */
  taken?: () => void;
  /** The loop was left. Told once, and not when all was taken. */
  left?: () => void;
}

interface Waiting<T> {
  resolve: (result: IteratorResult<T, void>) => void;
  reject: (error: unknown) => void;
}

const DONE = { done: true, value: undefined } as const;

/** Results for a `for await` loop; leaving the loop takes back what is still under way. They can be iterated once. */
export interface Results<T> extends AsyncIterable<T>, AsyncDisposable {
  next(): Promise<IteratorResult<T, void>>;
  /** What leaving the loop does. */
  return(): Promise<IteratorResult<T, void>>;
  [Symbol.asyncIterator](): this;
}

/**
 * Holds results between their arrival and the loop. Not an async generator: to leave one that waits means to wait as
 * well, and this ends at once.
 */
export class ResultQueue<T> implements Results<T> {
  readonly #hooks: ResultsHooks;
  #ready: T[] = [];
  #waiting: Waiting<T>[] = [];
  #started = false;
  /** Nothing comes any more; what it holds is thrown once, after what is ready. */
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

  /** After what is ready the loop ends. */
  end(): void {
    if (this.#over) return;
    this.#over = {};
    for (const { resolve } of this.#waiting.splice(0)) resolve(DONE);
  }

  /** After what is ready the loop throws. */
  fail(error: unknown): void {
    if (this.#over) return;
    const [first, ...others] = this.#waiting.splice(0);
    this.#over = first ? {} : { failure: { error } };
    first?.reject(error);
    for (const { resolve } of others) resolve(DONE);
  }

  /** What is ready and was not taken is not wanted any more. */
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
      // It is what the user's own iterator threw, or the reason of their signal.
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
