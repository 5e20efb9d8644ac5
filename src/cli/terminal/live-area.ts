import type { Output } from './output.ts';
import { steer } from './text.ts';

/** Makes the terminal cut long lines itself: a line that wraps would be two lines to go back over. */
const CUT = steer('?7l');
const WRAP = steer('?7h');

/** The cursor. */
const HIDE = steer('?25l');
const SHOW = steer('?25h');

/** The last lines of a terminal, redrawn in place. Lines that are written above them stay. */
export class LiveArea {
  readonly #out: Output;
  #drawn = 0;

  constructor(out: Output) {
    this.#out = out;
    out.text(`${CUT}${HIDE}`);
  }

  draw(text: string, above: readonly string[] = []): void {
    const lines = text.split('\n').slice(0, Math.max(1, this.#out.rows - 1));
    const staying = above.length > 0 ? `${WRAP}${above.join('\n')}\n${CUT}` : '';
    // One write, so that no half of it is ever visible.
    this.#out.text(`${this.#back()}${staying}${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  /** Restores the terminal. The last drawing stays. */
  end(): void {
    this.#out.text(`${WRAP}${SHOW}`);
  }

  #back(): string {
    return this.#drawn > 0 ? steer(`${this.#drawn}A`) + steer('G') + steer('J') : '';
  }
}
