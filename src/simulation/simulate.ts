import { checkOptions } from './options.ts';
import type { Checked, SimulationOptions } from './options.ts';
import { catchEverything } from './run-story.ts';
import { SeedRuns } from './seed-runs.ts';
import type { Story } from './story.ts';
import { figuresOf, reportOf } from './tally.ts';
import type { Figures, SimulationReport } from './tally.ts';
import { isStoryThread } from './threads/bootstrap.ts';
import { runInThreads } from './threads/story-threads.ts';
import { installGlobals } from './virtual/globals.ts';
import { places } from './virtual/place.ts';

/** One after the other: there is only one set of globals. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a story with one seed after the other: real peers on a network in memory, in virtual time, with the faults of the seed. Inside the
 * story, time, timers and chance are the simulation's: `setTimeout`, `Date`, `performance.now`, `Math.random`, `crypto.randomUUID` and their
 * like. The same seed does the same each time.
 *
 * A story in a module of its own runs in worker threads, which share the seeds. Give the URL of the module; its default export is made
 * with `story()`.
 * @throws SimulationError as soon as a seed fails, with the seed, the fewest faults, and the steps. In worker threads it is the first of
 *   the seeds that fails. Also if a seed does not do the same twice, if the story uses real input and output, or if it ends its thread
 * @throws TypeError for a wrong option; Error if the module of the story cannot be loaded
 *
 * @example
 * await simulate({ seeds: 50, faults: { cut: 0.1, restart: 0.05 } }, async ({ peer, heal, eventually }) => {
 *   const add = (a: number, b: number) => a + b;
 *   const client = await peer('client');
 *   await peer('server', (self) => self.connect('add', add));
 *   heal();
 *   await eventually(() => client.remote<typeof add>('add').any()(1, 2));
 * });
 * await simulate({ seeds: 10_000, workers: 'auto' }, new URL('./bank.story.ts', import.meta.url));
 */
export function simulate(options: SimulationOptions, story: Story | URL): Promise<SimulationReport> {
  if (places.getStore()) return Promise.reject(new Error('simulate() must not be called inside of a story'));
  if (isStoryThread())
    return Promise.reject(
      new Error(
        'simulate() was called by the module of a story, which each thread loads; put the story in a module of its own, and call simulate() elsewhere',
      ),
    );
  const run = async (): Promise<SimulationReport> => {
    const began = performance.now();
    const checked = checkOptions(options, process.env, story);
    const figures =
      typeof story === 'function' ? await runHere(checked, story) : await runInThreads(checked, story);
    return reportOf(figures, performance.now() - began);
  };
  const result = last.then(run);
  last = result.catch(() => {});
  return result;
}

async function runHere({ seeds, ...settings }: Checked, story: Story): Promise<Figures[]> {
  const restoreGlobals = installGlobals();
  const restoreErrors = catchEverything();
  try {
    const runs = new SeedRuns(settings, story);
    const all: Figures[] = [];
    for (const [place, seed] of seeds.entries()) {
      const run = await runs.run(seed, place);
      if (run.failure) throw await runs.explain(seed, place, run);
      all.push(figuresOf(run));
    }
    return all;
  } finally {
    restoreErrors();
    restoreGlobals();
  }
}
