import type { MapProgress } from '../index.ts';
import type { Output } from './output.ts';
import { count, duration } from './units.ts';

/** Between two drawings, in ms. */
const INTERVAL = 100;

/** Characters. */
const WIDTH = 24;

/** One line on the terminal that says how far it is. On stderr: the results may go into a pipe. */
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
    if (this.#shown && this.#out.isTerminal) this.#out.rawMessage('\r\u001b[K');
  }

  /** After that line. */
  again(): void {
    if (this.#shown && this.#out.isTerminal) this.#draw();
  }

  /** The last state stays. */
  end(): void {
    clearInterval(this.#timer);
    this.#draw();
    if (this.#shown) this.#out.message('');
  }

  #draw(): void {
    if (!this.#state) return;
    this.#shown = true;
    this.#drawnAt = performance.now();
    this.#out.rawMessage(`\r\u001b[K${this.#line(this.#state)}`);
  }

  #line({ done, failed, peers }: MapProgress): string {
    const { green, red, dim } = this.#out.errorColors;
    const elapsed = performance.now() - this.#start;
    const total = this.#total;
    const parts = [
      total === undefined ? `${done} done` : `${done.toLocaleString('en')}/${total.toLocaleString('en')}`,
    ];
    parts.push(count(peers, 'peer'));
    if (failed > 0) parts.push(red(`${failed} failed`));
    if (total !== undefined && done > 0 && done < total) {
      parts.push(dim(`${duration((elapsed / done) * (total - done))} left`));
    } else {
      parts.push(dim(duration(elapsed)));
    }
    if (total === undefined) return parts.join('  ');
    const filled = total === 0 ? WIDTH : Math.round((done / total) * WIDTH);
    return `${green('█'.repeat(filled))}${dim('░'.repeat(WIDTH - filled))}  ${parts.join('  ')}`;
  }
}
