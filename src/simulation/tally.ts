import type { Run } from './run-story.ts';

/**
 * The figures of a simulation that has ended.
 *
 * @example
 * const { stories, virtual }: SimulationReport = await simulate({ seeds: 10 }, async ({ sleep }) => sleep(1_000));
 * console.log(stories, virtual); // 10 10000
 */
export interface SimulationReport {
  /** How many seeds ran. */
  readonly stories: number;
  /** Virtual ms of all of them together. */
  readonly virtual: number;
  /** Real ms. */
  readonly real: number;
  /** Steps of all of them together. */
  readonly steps: number;
  /** Faults of all of them together. */
  readonly faults: number;
  /** A number for everything that happened. It is the same for the same stories, seeds and versions. */
  readonly digest: string;
}

/** What is kept of one run. */
export interface Figures {
  readonly time: number;
  readonly steps: number;
  readonly faults: number;
  readonly digest: string;
}

export function figuresOf({ time, trace, faults }: Run): Figures {
  return { time, steps: trace.count, faults: faults.length, digest: trace.digest };
}

/** @param all in the order of the seeds, whichever ran first */
export function reportOf(all: readonly Figures[], real: number): SimulationReport {
  const sum = (what: 'time' | 'steps' | 'faults'): number =>
    all.reduce((total, each) => total + each[what], 0);
  return {
    ...{ stories: all.length, virtual: sum('time'), real, steps: sum('steps'), faults: sum('faults') },
    digest: combined(all),
  };
}

function combined(all: readonly Figures[]): string {
  let hash = 0n;
  for (const { digest } of all) hash = BigInt.asUintN(64, hash * 1_099_511_628_211n + BigInt(`0x${digest}`));
  return hash.toString(16).padStart(16, '0');
}
