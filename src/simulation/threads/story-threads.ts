import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { messageOf } from '../../base/text.ts';
import { tsxFor } from '../../threads/typescript.ts';
import type { Checked } from '../options.ts';
import { SimulationError } from '../report.ts';
import type { Figures } from '../tally.ts';
import { BOOTSTRAP } from './bootstrap.ts';
import { EXPLAIN } from './messages.ts';
import type { Told, Work } from './messages.ts';
import { received } from './sent-error.ts';
import { sharedBy } from './shared.ts';
import type { Shared } from './shared.ts';

/** A seed that failed. */
interface Failed {
  readonly place: number;
  explain(): Promise<SimulationError>;
}

/**
 * Runs the seeds in worker threads. Each takes the next seed that nobody has taken. The error is that of the first seed in the list that
 * fails, whichever thread is faster: all seeds before it have run.
 * @throws SimulationError; Error if the module cannot be loaded
 */
export async function runInThreads(
  { seeds, workers: count, ...settings }: Checked,
  url: URL,
): Promise<Figures[]> {
  const shared = sharedBy(count);
  const tsx = tsxFor(fileURLToPath(url));
  const threads = Array.from({ length: count }, (_, worker) => {
    const work: Work = { settings, seeds, shared: shared.memory, worker };
    return new StoryThread(url, tsx, work, shared);
  });
  try {
    const failures = await Promise.all(threads.map((thread) => thread.over()));
    const [first] = failures.filter((each) => each !== undefined).toSorted((a, b) => a.place - b.place);
    if (first) throw await first.explain();
    const passed = threads.flatMap((thread) => thread.passed);
    return passed.toSorted(([a], [b]) => a - b).map(([, figures]) => figures);
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

class StoryThread {
  /** The seeds that passed in it, by their places. */
  passed: readonly (readonly [place: number, figures: Figures])[] = [];
  readonly #url: URL;
  readonly #work: Work;
  readonly #shared: Shared;
  readonly #worker: Worker;

  constructor(url: URL, tsx: string | undefined, work: Work, shared: Shared) {
    this.#url = url;
    this.#work = work;
    this.#shared = shared;
    this.#worker = new Worker(BOOTSTRAP, {
      ...{ eval: true, name: 'app-net simulation' },
      workerData: { 'app-net simulation': { url: url.href, tsx, ...work } },
    });
    // Of a thread that has told everything, nobody listens for it.
    this.#worker.on('error', () => {});
  }

  /**
   * Resolves when no seed is left for it.
   * @throws Error if it cannot load the story
   */
  async over(): Promise<Failed | undefined> {
    const told = await this.#next();
    if (told instanceof Error) return this.#lost(told);
    if (told.type === 'refused') throw new Error(`${this.#url.href} cannot be run as a story: ${told.text}`);
    if (told.type !== 'over') throw new Error(`a thread of ${this.#url.href} said ${told.type}`);
    this.passed = told.passed;
    const place = told.failed;
    return place === undefined ? undefined : { place, explain: () => this.#explain(place) };
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  async #explain(place: number): Promise<SimulationError> {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(EXPLAIN);
    const told = await this.#next();
    if (told instanceof Error) return this.#lostWith(place, told);
    if (told.type !== 'explained') throw new Error(`a thread of ${this.#url.href} said ${told.type}`);
    return received(told.error);
  }

  /** What the thread tells, or why it has ended. */
  #next(): Promise<Told | Error> {
    const worker = this.#worker;
    const listening = new AbortController();
    const { signal } = listening;
    return Promise.race([
      once(worker, 'message', { signal }).then(([told]) => told as Told),
      once(worker, 'exit', { signal }).then(
        ([code]) => new Error(`it ended its thread with code ${String(code)}, as process.exit() does`),
      ),
    ])
      .catch((error: unknown) => new Error(`its thread ended with ${messageOf(error)}`, { cause: error }))
      .finally(() => listening.abort());
  }

  #lost(why: Error): Failed {
    const place = this.#shared.running(this.#work.worker);
    if (place === undefined)
      throw new Error(`${this.#url.href} cannot be run as a story: ${why.message}`, { cause: why.cause });
    this.#shared.fail(place);
    return { place, explain: () => Promise.resolve(this.#lostWith(place, why)) };
  }

  /** No other run of this thread can say more. */
  #lostWith(place: number, why: Error): SimulationError {
    const seed = this.#work.seeds[place]!;
    const text = `seed ${seed} fails: ${why.message}\n\nTo run it again: set SIM_SEED=${seed} in the environment`;
    return new SimulationError(text, seed, [], why.cause);
  }
}
