import type { Timeline } from './timeline.ts';

/** How long a dial waits for an answer of a process that is there, in ms. */
const ANSWER_TIME = 5_000;

/** One processor a host, for which inputs of its peers wait in turn. The peers learn nothing of that. */
export class Processors {
  /** The time that each input takes, in ms. */
  cost = 0;
  readonly #timeline: Timeline;
  readonly #busyUntil = new Map<string, number>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  run(host: string, input: () => void): void {
    if (this.#isIdle(host)) input();
    else this.#inTurn(host, input);
  }

  /** A handshake takes each side a turn. */
  meet(target: string, dialler: string, opened: () => void, late: () => void): void {
    if (this.#isIdle(target)) {
      opened();
      return;
    }
    let isOver = false;
    const end = (then: () => void): void => {
      if (!isOver) then();
      isOver = true;
    };
    this.#timeline.later(ANSWER_TIME, () => end(late));
    this.#inTurn(target, () => this.#inTurn(dialler, () => end(opened)));
  }

  #isIdle(host: string): boolean {
    return this.cost === 0 && (this.#busyUntil.get(host) ?? 0) <= this.#timeline.now;
  }

  #inTurn(host: string, input: () => void): void {
    const { now } = this.#timeline;
    const at = Math.max(now, this.#busyUntil.get(host) ?? 0) + this.cost;
    this.#busyUntil.set(host, at);
    this.#timeline.later(at - now, input);
  }
}
