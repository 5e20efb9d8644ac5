/** Reads whole numbers from a line, one after the other. A regular expression, or a split, would make an array for each call. */
export class Numbers {
  /** Where the next one begins. */
  at: number;
  readonly #line: string;

  constructor(line: string, at = 0) {
    this.#line = line;
    this.at = at;
  }

  /** The next number, and the one character after it. */
  next(): number {
    const line = this.#line;
    let { at } = this;
    let number = 0;
    for (let code = line.charCodeAt(at); code >= 48 && code <= 57; code = line.charCodeAt(at)) {
      number = number * 10 + code - 48;
      at += 1;
    }
    this.at = at + 1;
    return number;
  }
}
