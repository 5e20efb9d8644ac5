/** Crashes in this time, in ms, count together. */
const WINDOW = 10_000;

/** This many crashes in that time stop a pool. */
const MOST = 3;

/** How long it then stays stopped, in ms. */
const PAUSE = 5_000;

/** Why no thread is started. */
export interface Refusal {
  code: 'OVERLOADED' | 'THREAD_LOST';
  text: string;
}

/** Keeps a pool from starting thread after thread when they crash one after the other, or cannot be started at all. */
export class Breaker {
  readonly #now: () => number;
  #crashes: number[] = [];
  #until = -Infinity;
  #code: Refusal['code'] = 'OVERLOADED';
  #why = '';
  #brokenFor: string | undefined;

  /** @param now the time on the clock, in ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  crashed(why: string): void {
    const now = this.#now();
    this.#crashes = this.#crashes.filter((at) => now - at < WINDOW);
    this.#crashes.push(now);
    const { length } = this.#crashes;
    const seconds = WINDOW / 1_000;
    if (length >= MOST)
      this.#pause('OVERLOADED', `its threads ended ${length} times in ${seconds} s; the last time: ${why}`);
  }

  /** No thread can be started. @returns whether that is news, and not what was so the last time */
  broken(why: string): boolean {
    const isNews = why !== this.#brokenFor;
    this.#brokenFor = why;
    this.#pause('THREAD_LOST', why);
    return isNews;
  }

  #pause(code: Refusal['code'], why: string): void {
    this.#until = this.#now() + PAUSE;
    this.#code = code;
    this.#why = why;
  }

  /** Undefined when threads may be started. */
  get refusal(): Refusal | undefined {
    const left = this.#until - this.#now();
    if (left <= 0) return undefined;
    const again = `no thread is started for ${(left / 1_000).toFixed(1)} s`;
    return { code: this.#code, text: `${this.#why}; ${again}` };
  }
}
