import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect } from 'chai';
import { build } from 'esbuild';

import { simulate } from '../../src/testing.ts';
import type { SimulationError, SimulationOptions, Story } from '../../src/testing.ts';
import { callsStory } from './stories/calls.ts';
import { eventsStory } from './stories/events.ts';
import { gossipStory } from './stories/gossip.ts';
import { presenceStory } from './stories/presence.ts';
import { stopsStory } from './stories/stops.ts';
import { streamsStory } from './stories/streams.ts';

/** A bug that is planted into the sources of the library, for one spec. */
export interface Mutant {
  /** What is wrong with it. */
  readonly bug: string;
  /** Below `src/`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const SOUND = { simulate, presenceStory, gossipStory, callsStory, eventsStory, streamsStory, stopsStory };

/** The library, and the stories that look for bugs in it. */
export type Stories = typeof SOUND;

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'build/mutants');

const ENTRY = `export { simulate } from './src/testing.ts';
export { presenceStory } from './spec/support/stories/presence.ts';
export { gossipStory } from './spec/support/stories/gossip.ts';
export { callsStory } from './spec/support/stories/calls.ts';
export { eventsStory } from './spec/support/stories/events.ts';
export { streamsStory } from './spec/support/stories/streams.ts';
export { stopsStory } from './spec/support/stories/stops.ts';
`;

let count = 0;

/**
 * Expects that one of 100 seeds notices the bug, and that the same seed passes without it. Otherwise the seed would not prove that the bug
 * was noticed.
 */
export async function expectFound(
  mutant: Mutant,
  options: Omit<SimulationOptions, 'seeds'>,
  tell: (stories: Stories) => Story,
): Promise<void> {
  const library = await mutated(mutant);
  const error: unknown = await library
    .simulate({ ...options, seeds: 100, shrinkTime: 0 }, tell(library))
    .then(() => expect.fail('no seed has noticed'))
    .catch((failure: unknown) => failure);
  expect((error as Error).message).to.match(/^seed \d+ fails/);
  await simulate({ ...options, seeds: [(error as SimulationError).seed] }, tell(SOUND));
}

/** Loads a copy of the library of its own, with the bug. */
async function mutated(mutant: Mutant): Promise<Stories> {
  count += 1;
  const outfile = join(folder, `${process.pid}-${count}.mjs`);
  let isPlanted = false;
  await mkdir(folder, { recursive: true });
  await build({
    stdin: { contents: ENTRY, resolveDir: root, loader: 'ts' },
    ...{ outfile, bundle: true, format: 'esm', platform: 'node', packages: 'external', logLevel: 'silent' },
    plugins: [
      {
        name: 'mutant',
        setup: ({ onLoad }) => {
          onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            if (relative(join(root, 'src'), path) !== mutant.file) return undefined;
            const text = await readFile(path, 'utf8');
            expect(text.split(mutant.from), `${mutant.file} has changed: plant the bug anew`).to.have.length(
              2,
            );
            isPlanted = true;
            return { contents: text.replace(mutant.from, () => mutant.to), loader: 'ts' };
          });
        },
      },
    ],
  });
  expect(isPlanted).to.equal(true);
  const loaded = (await import(pathToFileURL(outfile).href)) as Stories;
  await rm(outfile);
  return loaded;
}
