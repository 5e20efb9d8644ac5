import { between, pick, seededFor } from './random.ts';
import type { Random } from './random.ts';

/**
 * How often each kind of fault begins: the chance, from 0 to 1, in each virtual second. A kind that you leave out never happens.
 * `heal()` without arguments ends all faults, and no more begin.
 *
 * @example
 * const faults: Faults = { cut: 0.1, stall: 0.05, freeze: 0.05, restart: 0.02 };
 */
export interface Faults {
  /** The connections between two peers break, and no new ones open, for 0.1 to 15 s. */
  cut?: number;
  /** What one peer sends to another does not arrive, for 0.1 to 15 s. It arrives afterwards, if the connection is still open. */
  oneWayCut?: number;
  /** Messages between two peers take 10 to 1,000 ms longer, for 0.1 to 15 s. */
  delay?: number;
  /** Nothing arrives between two peers, in both directions, for 0.1 to 15 s. It arrives afterwards, if the connection is still open. */
  stall?: number;
  /** A process stands still for 0.1 to 15 s. Its timers and what has arrived come late, all at once. */
  freeze?: number;
  /** A process is killed, for good. */
  kill?: number;
  /** A process is killed, and starts again within 5 s, as often with a new id as with the same. */
  restart?: number;
  /** The clock of a process goes up to 5 % too fast or too slow, and its time of day is wrong by up to 1 min. */
  skew?: number;
}

export const KINDS = [
  'cut',
  'oneWayCut',
  'delay',
  'stall',
  'freeze',
  'kill',
  'restart',
  'skew',
] as const satisfies readonly (keyof Faults)[];

/** @throws TypeError for what is not a chance */
export function checkFaults(faults: Faults): void {
  for (const [kind, chance] of Object.entries(faults) as [string, unknown][]) {
    if (!(KINDS as readonly string[]).includes(kind))
      throw new TypeError(`faults: there is no ${JSON.stringify(kind)}; give some of ${KINDS.join(', ')}`);
    if (!(typeof chance === 'number' && chance >= 0 && chance <= 1))
      throw new TypeError(`faults.${kind}: give the chance in each second, from 0 to 1`);
  }
}

/** How long faults last, in ms: as many short ones as long ones, around the limits after which a silent peer leaves. */
const SHORTEST = 100;
const LONGEST = 15_000;

const DELAYS = [10, 1_000] as const;
const LONGEST_PAUSE = 5_000;
const MOST_SKEW = 0.05;
const MOST_OFF = 60_000;

/** A fault that is due. Whom it hits is decided when it begins, by the numbers. */
export interface Draw {
  /** The same in each run of a seed, whichever other faults there are. */
  readonly number: number;
  readonly kind: keyof Faults;
  /** In ms. */
  readonly at: number;
  readonly duration: number;
  /** From 0 to 1. */
  readonly first: number;
  readonly second: number;
  /** ms that are added to the latency. */
  readonly delay: number;
  readonly pause: number;
  readonly isNew: boolean;
  readonly rate: number;
  readonly off: number;
}

/** Draws the faults of a seed, second by second. */
export class FaultSource {
  readonly #random: Random;
  readonly #faults: Faults;
  #second = 0;

  constructor(seed: number, faults: Faults) {
    this.#random = seededFor(seed, 'faults');
    this.#faults = faults;
  }

  get isEmpty(): boolean {
    return KINDS.every((kind) => !this.#faults[kind]);
  }

  /** The faults that begin in the next second. */
  next(): Draw[] {
    const drawn: Draw[] = [];
    KINDS.forEach((kind, index) => {
      const number = this.#second * KINDS.length + index;
      const draw = this.#draw(kind, number);
      if (draw.chance < (this.#faults[kind] ?? 0)) drawn.push(draw);
    });
    this.#second += 1;
    return drawn.toSorted((a, b) => a.at - b.at);
  }

  /** As many numbers each time, so that one kind does not change the others. */
  #draw(kind: keyof Faults, number: number): Draw & { chance: number } {
    const random = this.#random;
    return {
      ...{ kind, number, chance: random() },
      at: (this.#second + random()) * 1_000,
      // The last digit of a power is not the same in every version of Node.
      duration: Math.round(SHORTEST * (LONGEST / SHORTEST) ** random()),
      ...{ first: random(), second: random() },
      delay: between(random, DELAYS),
      pause: random() * LONGEST_PAUSE,
      isNew: random() < 0.5,
      rate: 1 + between(random, [-MOST_SKEW, MOST_SKEW]),
      off: Math.round(between(random, [-MOST_OFF, MOST_OFF])),
    };
  }
}

/** Two different ones of the list. */
export function twoOf<T>(list: readonly T[], { first, second }: Draw): readonly [T, T] | undefined {
  const one = pick(list, first);
  const other = pick(
    list.filter((each) => each !== one),
    second,
  );
  return one !== undefined && other !== undefined ? [one, other] : undefined;
}
