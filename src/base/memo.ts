/** Remembers what is computed again and again from the same text. What was not asked for lately is forgotten. */
export class Memo<Value> {
  /** Half of what is remembered, at most. */
  readonly #half: number;
  #recent = new Map<string, Value>();
  #before = new Map<string, Value>();

  /** @param most values that are remembered */
  constructor(most: number) {
    this.#half = most / 2;
  }

  get(text: string): Value | undefined {
    const value = this.#recent.get(text);
    if (value !== undefined) return value;
    const old = this.#before.get(text);
    if (old !== undefined) this.set(text, old);
    return old;
  }

  set(text: string, value: Value): void {
    if (this.#recent.size >= this.#half) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(text, value);
  }
}
