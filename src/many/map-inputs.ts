import { StreamSource } from '../calls/streams/stream-source.ts';

/**
 * Where `map` takes its inputs from: an array, or anything else that can be iterated, even without end.
 *
 * @example
 * const numbers: Inputs<number> = [1, 2, 3];
 * for await (const result of square.map(numbers)) console.log(result.index, result.status);
 */
export type Inputs<Input> = Iterable<Input> | AsyncIterable<Input>;

/** The inputs of one `map`. They are taken one at a time, so the source may be endless. */
export class MapInputs<Input> {
  /** How many inputs there are, where that can be known. */
  total: number | undefined;
  /** No more inputs come. */
  over = false;
  /** An input was asked for and has not arrived. */
  asked = false;
  /** The error of the user's iterator. */
  failure: { error: unknown } | undefined;
  /** Set when the source gives its inputs at once, such as an array. */
  readonly #list: Iterable<Input> | undefined;
  /** Set when the source is async. */
  readonly #stream: StreamSource | undefined;
  readonly #arrived: (input: Input) => void;
  readonly #changed: () => void;
  #iterator: Iterator<Input> | undefined;
  #count = 0;

  /**
   * @param arrived gets each input: within `ask` when the source is synchronous, later when it is async
   * @param changed is called when an awaited input has arrived, or none will
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

  /** Asks for the next input, unless one is already awaited. */
  ask(): void {
    if (this.over || this.asked) return;
    if (this.#stream) this.#wait(this.#stream);
    else this.#next(this.#list!);
  }

  /** No more inputs are wanted: lets the user's generator run its `finally`. */
  close(): void {
    if (this.over) return;
    this.over = true;
    this.#stream?.end();
    try {
      this.#iterator?.return?.();
    } catch {
      // The loop has already ended, so there is nobody to tell.
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
