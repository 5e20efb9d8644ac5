import type { Output } from './output.ts';

/** The last lines of a terminal, drawn anew in place; what is written above them stays. */
export class LiveArea {
  readonly #out: Output;
  #drawn = 0;

  constructor(out: Output) {
    this.#out = out;
    // Lines that are too long are cut by the terminal itself: a line that wraps would be two to go back over.
    out.raw('\u001b[?7l\u001b[?25l');
  }

  draw(text: string, above: readonly string[] = []): void {
    const lines = text.split('\n').slice(0, Math.max(1, this.#out.rows - 1));
    const all = [...above, ...lines];
    // In one write, so that no half of it is ever seen.
    this.#out.raw(`${this.#back()}${all.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  /** Gives the terminal back as it was; what was drawn last stays. */
  end(): void {
    this.#out.raw('\u001b[?7h\u001b[?25h');
  }

  #back(): string {
    return this.#drawn > 0 ? `\u001b[${this.#drawn}A\r\u001b[J` : '';
  }
}
