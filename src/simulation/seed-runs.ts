import { writeFile } from 'node:fs/promises';

import { differenceBetween } from './difference.ts';
import type { NumberedFault } from './fault-player.ts';
import type { Settings } from './options.ts';
import { RealWorkWatch, describeWork } from './real-io.ts';
import { SimulationError, failureText, isError } from './report.ts';
import { runStory } from './run-story.ts';
import type { Run } from './run-story.ts';
import { sequenceDiagram } from './sequence-diagram.ts';
import { shrink } from './shrink.ts';
import type { Story } from './story.ts';
import { UnseededWatch } from './unseeded.ts';

/** One seed in so many runs twice, to see that it does the same. */
const TWICE = 20;

/** So often something real may be opened beside the stories until nobody looks any more: each time costs two more runs. */
const MOST_SUSPICIONS = 5;

interface More {
  readonly isKept?: boolean;
  readonly only?: ReadonlySet<number>;
  readonly isTrusted?: boolean;
}

/** Runs seeds of one story, and says why one fails. The globals are those of the simulation already. */
export class SeedRuns {
  readonly #settings: Settings;
  readonly #story: Story;
  /** How often something was opened in this process, and not by the story. */
  #suspicions = 0;

  constructor(settings: Settings, story: Story) {
    this.#settings = settings;
    this.#story = story;
  }

  /**
   * Runs the seed that has this place in the list of all, as often as it has to.
   * @throws SimulationError if it does not do the same twice, or does real work
   */
  async run(seed: number, place: number): Promise<Run> {
    const { isReplay } = this.#settings;
    const isTwice = isReplay || place % TWICE === 0;
    const run = await this.#runTrusted(seed, { isKept: isTwice });
    if (isTwice) await this.#compare(seed, run);
    if (isReplay && !run.failure) await this.#draw(seed, run);
    return run;
  }

  /** The error for a run that has failed, with the fewest faults. */
  async explain(seed: number, place: number, run: Run): Promise<SimulationError> {
    try {
      if (run.failure!.isStuck) await this.#blameRealWork(seed);
      const faults = await this.#shrink(seed, run);
      const again = await this.#runTrusted(seed, { isKept: true, only: numbersOf(faults) });
      // Only a story that cannot be repeated fails no more.
      const shown = again.failure ?? run.failure!;
      await this.#draw(seed, again);
      const { count, svg } = this.#settings;
      const text = failureText({
        ...{ seed, run: place + 1, of: count, faults: again.faults, svg },
        ...{ error: shown.error, faultsAtFirst: run.faults.length },
        steps: again.trace.steps,
      });
      return new SimulationError(text, seed, again.faults, shown.error);
    } catch (error) {
      if (error instanceof SimulationError) return error;
      throw error;
    }
  }

  #run(seed: number, more: More = {}): Promise<Run> {
    const [settings, story] = [this.#settings, this.#story];
    return runStory({ seed, settings, story, isTrusted: this.#suspicions >= MOST_SUSPICIONS, ...more });
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

  #shrink(seed: number, { faults, failure }: Run): Promise<readonly NumberedFault[]> {
    const { shrinkTime } = this.#settings;
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
    const { svg } = this.#settings;
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
