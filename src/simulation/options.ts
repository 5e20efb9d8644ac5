import { availableParallelism } from 'node:os';

import { checkFaults } from './faults.ts';
import type { Faults } from './faults.ts';
import type { Story } from './story.ts';

/**
 * Options of `simulate`.
 *
 * @example
 * const options: SimulationOptions = { seeds: 200, faults: { cut: 0.1, freeze: 0.05 }, latency: [0.5, 20] };
 */
export interface SimulationOptions {
  /**
   * How many seeds to run, from 1 on, or exactly which. The environment goes first: `SIM_SEED` is one seed, `SIM_SEEDS` how many,
   * `SIM_SHARD` (`2/4`) takes the second quarter of them, for machines or processes side by side.
   * Default: 100.
   */
  seeds?: number | readonly number[];
  /** How often faults begin. Default: none but those that the story makes. */
  faults?: Faults;
  /** The shortest and the longest time that a message takes, in ms. Default: `[0.5, 20]`. */
  latency?: readonly [number, number];
  /** The longest that a story may take, in virtual ms. Default: 600,000. */
  limit?: number;
  /**
   * How long to look for the fewest faults with which a story still fails, in real ms. 0: not at all.
   * Default: 20,000.
   */
  shrinkTime?: number;
  /**
   * How many worker threads share the seeds of a story that is in a module of its own. `'auto'`: one for each processor. Environment:
   * `SIM_WORKERS`. A story that is given as a function cannot go to another thread.
   * Default: `'auto'`.
   */
  workers?: number | 'auto';
  /** File for a sequence diagram of the failure, or with one seed of that run. Environment: `SIM_SVG`. Default: none. */
  svg?: string;
}

/** What each run of a story needs to know. */
export interface Settings {
  readonly faults: Faults;
  readonly latency: readonly [number, number];
  readonly limit: number;
  readonly shrinkTime: number;
  readonly svg: string | undefined;
  /** One seed, given by the environment: somebody looks at it. */
  readonly isReplay: boolean;
  /** How many seeds there are. */
  readonly count: number;
}

export interface Checked extends Settings {
  readonly seeds: readonly number[];
  /** Threads for a story in a module of its own. */
  readonly workers: number;
}

const KNOWN = new Set([
  'seeds',
  'faults',
  'latency',
  'limit',
  'shrinkTime',
  'workers',
  'svg',
] satisfies (keyof SimulationOptions)[]);

/** @throws TypeError for options that are none, and for a story that is none */
export function checkOptions(
  options: SimulationOptions,
  env: NodeJS.ProcessEnv,
  story: Story | URL,
): Checked {
  for (const name of Object.keys(options)) {
    if (!(KNOWN as Set<string>).has(name))
      throw new TypeError(`${name}: simulate() has no such option; it has ${[...KNOWN].join(', ')}`);
  }
  const { faults = {}, latency = [0.5, 20], limit = 600_000, shrinkTime = 20_000 } = options;
  checkFaults(faults);
  const [least, most] = latency;
  if (!(latency.length === 2 && least >= 0 && most >= least && most < Infinity))
    throw new TypeError('latency: give the shortest and the longest time in ms, such as [0.5, 20]');
  if (!(limit > 0)) throw new TypeError('limit: give ms of virtual time, more than 0');
  if (!(shrinkTime >= 0)) throw new TypeError('shrinkTime: give ms, 0 or more');
  checkStory(story, options.workers);
  const { SIM_SEED, SIM_SEEDS, SIM_SHARD, SIM_SVG, SIM_WORKERS } = env;
  const seeds = SIM_SEED
    ? [whole('SIM_SEED', SIM_SEED)]
    : sharded(seedsOf(options.seeds, SIM_SEEDS), SIM_SHARD);
  // A story that is a function stays in this thread: how many processors there are is not asked.
  const asked = SIM_WORKERS ? whole('SIM_WORKERS', SIM_WORKERS) : options.workers;
  const workers = workersOf(asked ?? (typeof story === 'function' ? 1 : 'auto'));
  return {
    ...{ seeds, count: seeds.length, workers: Math.min(workers, seeds.length) },
    ...{ faults, latency, limit, shrinkTime },
    svg: options.svg ?? (SIM_SVG || undefined),
    isReplay: Boolean(SIM_SEED),
  };
}

function checkStory(story: Story | URL, workers: SimulationOptions['workers']): void {
  if (typeof story === 'function') {
    if (workers === undefined) return;
    throw new TypeError(
      'workers: a story that is a function cannot go to another thread; put it in a module of its own, export it as its default with ' +
        "story(), and give the URL: simulate(options, new URL('./bank.story.ts', import.meta.url))",
    );
  }
  // A test runner may have another URL in its globals.
  const isUrl = Object.prototype.toString.call(story) === '[object URL]';
  if (!isUrl || story.protocol !== 'file:')
    throw new TypeError(
      "simulate(options, story): story must be a function, or the URL of a module: new URL('./bank.story.ts', import.meta.url)",
    );
}

function workersOf(workers: unknown): number {
  if (workers === 'auto') return availableParallelism();
  if (!Number.isSafeInteger(workers) || (workers as number) < 1)
    throw new TypeError("workers: give how many threads, at least 1, or 'auto'");
  return workers as number;
}

function seedsOf(given: SimulationOptions['seeds'], count: string | undefined): readonly number[] {
  const seeds = count ? whole('SIM_SEEDS', count) : (given ?? 100);
  if (typeof seeds === 'number') {
    if (!Number.isSafeInteger(seeds) || seeds < 1)
      throw new TypeError('seeds: give how many, at least 1, or a list of seeds');
    return Array.from({ length: seeds }, (_, index) => index + 1);
  }
  if (seeds.length === 0 || !seeds.every((each) => Number.isSafeInteger(each) && each >= 0))
    throw new TypeError('seeds: give whole numbers from 0 on');
  return seeds;
}

function sharded(seeds: readonly number[], shard: string | undefined): readonly number[] {
  if (!shard) return seeds;
  const [, which, of] = /^(\d+)\/(\d+)$/.exec(shard) ?? [];
  const [part, parts] = [Number(which), Number(of)];
  if (!(part >= 1 && part <= parts))
    throw new TypeError('SIM_SHARD: give which part of how many, such as 2/4');
  return seeds.filter((_, index) => index % parts === part - 1);
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new TypeError(`${name}: give a whole number, 0 or more`);
  return number;
}
