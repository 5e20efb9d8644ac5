import { writeFile } from 'node:fs/promises';

import type { NumberedFault } from './fault-player.ts';
import { checkOptions } from './options.ts';
import type { Checked, SimulationOptions } from './options.ts';
import { differenceBetween } from './difference.ts';
import { RealWorkWatch, describeWork } from './real-io.ts';
import { SimulationError, failureText, isError } from './report.ts';
import { catchEverything, runStory } from './run-story.ts';
import type { Run } from './run-story.ts';
import { sequenceDiagram } from './sequence-diagram.ts';
import { shrink } from './shrink.ts';
import type { Story } from './story.ts';
import { UnseededWatch } from './unseeded.ts';
import { installGlobals } from './virtual/globals.ts';
import { places } from './virtual/place.ts';

/** One seed in so many runs twice, to see that it does the same. */
const TWICE = 20;

/** So often something real may be opened beside the stories until nobody looks any more: each time costs two more runs. */
const MOST_SUSPICIONS = 5;

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

/** One after the other: there is only one set of globals. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a story with one seed after the other: real peers on a network in memory, in virtual time, with the faults of the seed. Inside the
 * story, time, timers and chance are the simulation's: `setTimeout`, `Date`, `performance.now`, `Math.random`, `crypto.randomUUID` and their
 * like. The same seed does the same each time.
 * @throws SimulationError as soon as a seed fails, with the seed, the fewest faults, and the steps; also if a seed does not do the same
 *   twice, or if the story uses real input and output; TypeError for a wrong option
 *
 * @example
 * await simulate({ seeds: 50, faults: { cut: 0.1, restart: 0.05 } }, async ({ peer, heal, eventually }) => {
 *   const add = (a: number, b: number) => a + b;
 *   const client = await peer('client');
 *   await peer('server', (self) => self.connect('add', add));
 *   heal();
 *   await eventually(() => client.remote<typeof add>('add').any()(1, 2));
 * });
 */
export function simulate(options: SimulationOptions, story: Story): Promise<SimulationReport> {
  if (places.getStore()) return Promise.reject(new Error('simulate() must not be called inside of a story'));
  const run = async (): Promise<SimulationReport> => {
    const checked = checkOptions(options, process.env);
    if (typeof story !== 'function')
      throw new TypeError('simulate(options, story): story must be a function');
    const restoreGlobals = installGlobals();
    const restoreErrors = catchEverything();
    try {
      return await new Search(checked, story).run();
    } finally {
      restoreErrors();
      restoreGlobals();
    }
  };
  const result = last.then(run);
  last = result.catch(() => {});
  return result;
}

interface More {
  readonly isKept?: boolean;
  readonly only?: ReadonlySet<number>;
  readonly isTrusted?: boolean;
}

class Search {
  readonly #options: Checked;
  readonly #story: Story;
  /** How often something was opened in this process, and not by the story. */
  #suspicions = 0;

  constructor(options: Checked, story: Story) {
    this.#options = options;
    this.#story = story;
  }

  async run(): Promise<SimulationReport> {
    const { seeds, isReplay } = this.#options;
    const began = performance.now();
    const sum = { stories: 0, virtual: 0, steps: 0, faults: 0 };
    const digests: string[] = [];
    for (const seed of seeds) {
      const isTwice = isReplay || sum.stories % TWICE === 0;
      sum.stories += 1;
      const run = await this.#runTrusted(seed, { isKept: isTwice });
      if (isTwice) await this.#compare(seed, run);
      if (run.failure) await this.#fail(seed, run, sum.stories);
      if (isReplay) await this.#draw(seed, run);
      sum.virtual += run.time;
      sum.steps += run.trace.count;
      sum.faults += run.faults.length;
      digests.push(run.trace.digest);
    }
    return { ...sum, real: performance.now() - began, digest: combined(digests) };
  }

  #run(seed: number, more: More = {}): Promise<Run> {
    const [options, story] = [this.#options, this.#story];
    return runStory({ seed, options, story, isTrusted: this.#suspicions >= MOST_SUSPICIONS, ...more });
  }

  /** Runs the seed; if anything real was opened meanwhile, finds out whether the story did it. */
  async #runTrusted(seed: number, more: More): Promise<Run> {
    const run = await this.#run(seed, more);
    if (run.opened === undefined) return run;
    await this.#blameRealWork(seed);
    this.#suspicions += 1;
    return this.#run(seed, { ...more, isTrusted: true });
  }

  async #compare(seed: number, first: Run): Promise<void> {
    const second = await this.#runTrusted(seed, { isKept: true });
    if (second.trace.digest === first.trace.digest) return;
    await this.#blameRealWork(seed);
    const watch = new UnseededWatch();
    watch.begin();
    const third = await this.#run(seed, { isKept: true, isTrusted: true }).finally(() => watch.end());
    throw differenceBetween(seed, [first, second, third], watch.first);
  }

  /** @throws SimulationError that names the first real work that the story begins */
  async #blameRealWork(seed: number): Promise<void> {
    const watch = new RealWorkWatch();
    watch.begin();
    try {
      await this.#run(seed, { isTrusted: true });
    } finally {
      watch.end();
    }
    if (!watch.first) return;
    const { type, stack } = watch.first;
    const text =
      `seed ${seed}: the story began ${describeWork(type)}. It ends when the machine has time for it, so no seed could repeat the story. ` +
      `Put something in memory in its place:\n${stack}`;
    throw new SimulationError(text, seed, [], undefined);
  }

  async #fail(seed: number, run: Run, number: number): Promise<never> {
    if (run.failure!.isStuck) await this.#blameRealWork(seed);
    const faults = await this.#shrink(seed, run);
    const again = await this.#runTrusted(seed, { isKept: true, only: numbersOf(faults) });
    // Only a story that cannot be repeated fails no more.
    const shown = again.failure ?? run.failure!;
    await this.#draw(seed, again);
    const { seeds, svg } = this.#options;
    const text = failureText({
      ...{ seed, run: number, of: seeds.length, faults: again.faults, svg },
      ...{ error: shown.error, faultsAtFirst: run.faults.length },
      steps: again.trace.steps,
    });
    throw new SimulationError(text, seed, again.faults, shown.error);
  }

  #shrink(seed: number, { faults, failure }: Run): Promise<readonly NumberedFault[]> {
    const { shrinkTime } = this.#options;
    if (shrinkTime === 0) return Promise.resolve(faults);
    const end = performance.now() + shrinkTime;
    const wanted = likeness(failure!.error);
    const fails = async (some: readonly NumberedFault[]): Promise<boolean> => {
      const run = await this.#runTrusted(seed, { only: numbersOf(some) });
      return run.failure !== undefined && likeness(run.failure.error) === wanted;
    };
    return shrink(faults, fails, () => performance.now() > end);
  }

  async #draw(seed: number, { trace, names }: Run): Promise<void> {
    const { svg } = this.#options;
    if (svg !== undefined) await writeFile(svg, sequenceDiagram(trace.steps, names, `seed ${seed}`));
  }
}

function numbersOf(faults: readonly NumberedFault[]): ReadonlySet<number> {
  return new Set(faults.map(({ number }) => number));
}

/** Two failures are the same if they say the same, whatever the numbers in it are. */
function likeness(error: unknown): string {
  if (!isError(error)) return typeof error;
  return `${error.name}: ${error.message.split('\n')[0]!.replaceAll(/\d+(\.\d+)?/g, '#')}`;
}

function combined(digests: readonly string[]): string {
  let hash = 0n;
  for (const digest of digests) hash = BigInt.asUintN(64, hash * 1_099_511_628_211n + BigInt(`0x${digest}`));
  return hash.toString(16).padStart(16, '0');
}
