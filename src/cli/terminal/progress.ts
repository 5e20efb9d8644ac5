import type { MapProgress } from '../../index.ts';
import type { Output } from './output.ts';
import { steer } from './text.ts';
import { count, duration } from './units.ts';

/** Time between two drawings, in ms. */
const INTERVAL = 100;

/** Characters of the bar. */
const WIDTH = 24;

/** Moves back to the first column and empties the line. */
const CLEAR = steer('G') + steer('K');

/** The bar is left out when there is less room than this. */
const NARROWEST = 5;

/** One line on the terminal that shows the progress. It is on stderr, because the results may go into a pipe. */
export class Progress {
  readonly #out: Output;
  readonly #total: number | undefined;
  readonly #start = performance.now();
  readonly #timer: NodeJS.Timeout;
  #state: MapProgress | undefined;
  #shown = false;
  #drawnAt = 0;

  constructor(out: Output, total: number | undefined) {
    this.#out = out;
    this.#total = total;
    this.#timer = setInterval(() => this.#draw(), INTERVAL);
  }

  show(state: MapProgress): void {
    this.#state = state;
    if (performance.now() - this.#drawnAt >= INTERVAL) this.#draw();
  }

  /** Makes room for a line that stays. */
  hide(): void {
    if (this.#shown && this.#out.isTerminal) this.#out.messageText(CLEAR);
  }

  /** Draws again after that line. */
  again(): void {
    if (this.#shown && this.#out.isTerminal) this.#draw();
  }

  /** Leaves the last state on the screen. */
  end(): void {
    clearInterval(this.#timer);
    this.#draw();
    if (this.#shown) this.#out.message('');
  }

  #draw(): void {
    if (!this.#state) return;
    this.#shown = true;
    this.#drawnAt = performance.now();
    this.#out.messageText(CLEAR + this.#line(this.#state));
  }

  #line({ done, failed, peers }: MapProgress): string {
    const { green, red, dim } = this.#out.errorColors;
    const elapsed = performance.now() - this.#start;
    const total = this.#total;
    const isUnderWay = total !== undefined && done > 0 && done < total;
    const time = isUnderWay ? `${duration((elapsed / done) * (total - done))} left` : duration(elapsed);
    const parts: { text: string; color?: (text: string) => string }[] = [
      {
        text:
          total === undefined ? `${done} done` : `${done.toLocaleString('en')}/${total.toLocaleString('en')}`,
      },
      { text: count(peers, 'peer') },
      ...(failed > 0 ? [{ text: `${failed} failed`, color: red }] : []),
      { text: time, color: dim },
    ];
    // A line wider than the terminal would wrap, and could not be removed.
    let room = this.#out.messageColumns - 1;
    const shown: string[] = [];
    for (const { text, color = String } of parts) {
      const needed = text.length + (shown.length > 0 ? 2 : 0);
      if (needed > room) break;
      room -= needed;
      shown.push(color(text));
    }
    const words = shown.join('  ');
    const width = Math.min(WIDTH, room - 2);
    if (total === undefined || width < NARROWEST) return words;
    const filled = total === 0 ? width : Math.min(width, Math.round((done / total) * width));
    return `${green('█'.repeat(filled))}${dim('░'.repeat(width - filled))}  ${words}`;
  }
}
