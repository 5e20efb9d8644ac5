/**
 * Reads whole numbers from a text, one after the other. A regular expression, or a split, would make an array for each call, and so
 * one of these is used for all lines.
 */
export class Numbers {
  /** Where the next one begins. */
  at = 0;
  #text = '';

  begin(text: string, at: number): this {
    this.#text = text;
    this.at = at;
    return this;
  }

  /** The next number, and the one character after it. */
  next(): number {
    const text = this.#text;
    let { at } = this;
    let number = 0;
    for (let code = text.charCodeAt(at); code >= 48 && code <= 57; code = text.charCodeAt(at)) {
      number = number * 10 + code - 48;
      at += 1;
    }
    this.at = at + 1;
    return number;
  }
}
