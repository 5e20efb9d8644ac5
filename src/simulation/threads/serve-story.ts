import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';

import { SimulationError } from '../report.ts';
import { catchEverything } from '../run-story.ts';
import { SeedRuns } from '../seed-runs.ts';
import type { Story } from '../story.ts';
import { figuresOf } from '../tally.ts';
import type { Figures } from '../tally.ts';
import { installGlobals } from '../virtual/globals.ts';
import type { Told, Work } from './messages.ts';
import { sent } from './sent-error.ts';
import { Shared } from './shared.ts';

/** The seed that failed here. Why is asked only if it is the first one that fails anywhere. */
interface Failed {
  readonly place: number;
  explain(): Promise<SimulationError>;
}

/** What a thread does with a story. The globals stay those of the simulation until the thread ends. */
export function serveStory(story: Story): (work: Work, port: MessagePort) => Promise<void> {
  return async ({ settings, seeds, shared: memory, worker }, port) => {
    installGlobals();
    catchEverything();
    const shared = new Shared(memory);
    const runs = new SeedRuns(settings, story);
    const passed: [number, Figures][] = [];
    let failed: Failed | undefined;
    const runOne = async (place: number): Promise<void> => {
      const seed = seeds[place]!;
      const fail = (explain: Failed['explain']): void => {
        failed = { place, explain };
        shared.fail(place);
      };
      try {
        const run = await runs.run(seed, place);
        if (run.failure) fail(() => runs.explain(seed, place, run));
        else passed.push([place, figuresOf(run)]);
      } catch (error) {
        if (!(error instanceof SimulationError)) throw error;
        fail(() => Promise.resolve(error));
      }
    };
    while (!failed) {
      const place = shared.take(worker, seeds.length);
      if (place === undefined) break;
      await runOne(place);
    }
    const tell = (told: Told): void => port.postMessage(told);
    tell({ type: 'over', passed, failed: failed?.place });
    // Only a thread with a failure is told anything.
    await once(port, 'message');
    tell({ type: 'explained', error: sent(await failed!.explain()) });
  };
}
