/** What `map` takes its inputs from. */
export type Inputs<Input> = Iterable<Input> | AsyncIterable<Input>;

/** The inputs of one `map`: asked for one at a time, so that an endless generator will do. */
export class MapInputs<Input> {
  /** How many there are, where that can be known. */
  total: number | undefined;
  /** No more come. */
  over = false;
  /** One was asked for and has not come yet. */
  asked = false;
  /** What the user's iterator failed with. */
  failure: { error: unknown } | undefined;
  readonly #source: Inputs<Input>;
  readonly #arrived: (input: Input) => void;
  readonly #changed: () => void;
  #iterator: Iterator<Input> | AsyncIterator<Input> | undefined;
  #count = 0;

  /**
   * @param arrived is given each input: within `ask` when the source is an array or the like, later when it is async
   * @param changed is told when an input that was waited for has come, or none will
   */
  constructor(source: Inputs<Input>, arrived: (input: Input) => void, changed: () => void) {
    this.#source = source;
    this.#arrived = arrived;
    this.#changed = changed;
    const { length, size } = source as { length?: unknown; size?: unknown };
    const known = Array.isArray(source) || ArrayBuffer.isView(source) ? length : size;
    if (typeof known === 'number') this.total = known;
  }

  /** Asks for the next input, unless one is waited for already. */
  ask(): void {
    if (this.over || this.asked) return;
    let next: IteratorResult<Input> | Promise<IteratorResult<Input>>;
    try {
      this.#iterator ??= iterate(this.#source);
      next = this.#iterator.next();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (!(Symbol.asyncIterator in this.#source)) {
      this.#take(next as IteratorResult<Input>);
      return;
    }
    this.asked = true;
    void Promise.resolve(next)
      .then(
        (result) => this.#take(result),
        (error: unknown) => this.#fail(error),
      )
      .then(() => {
        this.asked = false;
        this.#changed();
      });
  }

  /** No more are wanted: lets the user's generator run its `finally`. */
  close(): void {
    if (this.over) return;
    this.over = true;
    try {
      // One that waits for something ends when it has it, and nobody waits for that.
      Promise.resolve(this.#iterator?.return?.()).catch(() => {});
    } catch {
      // The loop is left already; there is nobody to tell.
    }
  }

  #take(result: IteratorResult<Input>): void {
    if (this.over) return;
    if (result.done) {
      this.over = true;
      this.total = this.#count;
    } else {
      this.#count += 1;
      this.#arrived(result.value);
    }
  }

  #fail(error: unknown): void {
    if (this.over) return;
    this.over = true;
    this.failure = { error };
  }
}

function iterate<Input>(source: Inputs<Input>): Iterator<Input> | AsyncIterator<Input> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}
