import { StreamSource } from '../calls/streams/stream-source.ts';

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
  /** Where they come from, one at a time … */
  readonly #list: Iterable<Input> | undefined;
  /** … or whenever they come. */
  readonly #stream: StreamSource | undefined;
  readonly #arrived: (input: Input) => void;
  readonly #changed: () => void;
  #iterator: Iterator<Input> | undefined;
  #count = 0;

  /**
   * @param arrived is given each input: within `ask` when the source is an array or the like, later when it is async
   * @param changed is told when an input that was waited for has come, or none will
   */
  constructor(source: Inputs<Input>, arrived: (input: Input) => void, changed: () => void) {
    if (isAsync(source)) this.#stream = new StreamSource(source);
    else this.#list = source;
    this.#arrived = arrived;
    this.#changed = changed;
    const { length, size } = source as { length?: unknown; size?: unknown };
    const known = Array.isArray(source) || ArrayBuffer.isView(source) ? length : size;
    if (typeof known === 'number') this.total = known;
  }

  /** Asks for the next input, unless one is waited for already. */
  ask(): void {
    if (this.over || this.asked) return;
    if (this.#stream) this.#wait(this.#stream);
    else this.#next(this.#list!);
  }

  /** No more are wanted: lets the user's generator run its `finally`. */
  close(): void {
    if (this.over) return;
    this.over = true;
    this.#stream?.end();
    try {
      this.#iterator?.return?.();
    } catch {
      // The loop is left already; there is nobody to tell.
    }
  }

  #next(list: Iterable<Input>): void {
    let done: boolean | undefined;
    let value: Input;
    try {
      this.#iterator ??= list[Symbol.iterator]();
      const result = this.#iterator.next();
      ({ done } = result);
      if (!done) ({ value } = result);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#take(done, value!);
  }

  #wait(stream: StreamSource): void {
    const settled = (): void => {
      this.asked = false;
      this.#changed();
    };
    this.asked = true;
    stream.next().then(
      (step) => {
        this.#take(step.done, step.value as Input);
        settled();
      },
      (error: unknown) => {
        this.#fail(error);
        settled();
      },
    );
  }

  #take(done: boolean | undefined, input: Input): void {
    if (this.over) return;
    if (done) {
      this.over = true;
      this.total = this.#count;
    } else {
      this.#count += 1;
      this.#arrived(input);
    }
  }

  #fail(error: unknown): void {
    if (this.over) return;
    this.over = true;
    this.failure = { error };
  }
}

function isAsync<Input>(source: Inputs<Input>): source is AsyncIterable<Input> {
  return Symbol.asyncIterator in Object(source);
}
