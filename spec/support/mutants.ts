import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect } from 'chai';
import { build } from 'esbuild';

import type { simulate } from '../../src/testing.ts';
import type { eventsStory } from './stories/events.ts';
import type { gossipStory } from './stories/gossip.ts';
import type { callsStory } from './stories/calls.ts';
import type { presenceStory } from './stories/presence.ts';
import type { stopsStory } from './stories/stops.ts';
import type { streamsStory } from './stories/streams.ts';

/** A bug that is planted into the sources of the library, for one spec. */
export interface Mutant {
  /** What is wrong with it. */
  readonly bug: string;
  /** Below `src/`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly story:
    | 'presenceStory'
    | 'gossipStory'
    | 'callsStory'
    | 'eventsStory'
    | 'streamsStory'
    | 'stopsStory';
}

/** The library with a bug in it, and the stories that look for it. */
export interface Mutated {
  simulate: typeof simulate;
  presenceStory: typeof presenceStory;
  gossipStory: typeof gossipStory;
  callsStory: typeof callsStory;
  eventsStory: typeof eventsStory;
  streamsStory: typeof streamsStory;
  stopsStory: typeof stopsStory;
}

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

/** Loads a copy of the library of its own, with the bug, or without one. */
export async function mutated(mutant: Mutant | undefined): Promise<Mutated> {
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
            if (!mutant || relative(join(root, 'src'), path) !== mutant.file) return undefined;
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
  expect(isPlanted).to.equal(mutant !== undefined);
  const loaded = (await import(pathToFileURL(outfile).href)) as Mutated;
  await rm(outfile);
  return loaded;
}
