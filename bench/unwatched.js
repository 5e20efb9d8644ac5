// What it costs that calls could be watched, while nobody watches them: the library as it is, beside the same library without the places
// that look whether somebody does. Both are built here, in the same way. Pairs of processes differ by more than the places cost, so each
// build gets several pairs, and the rounds alternate. Run it with `node bench/unwatched.js`; it fails below 0.99 by processor time.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { median, startPair } from './watching.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAIRS = 5;
const ROUNDS = 9;
const WARM_CALLS = 300_000;
const ROUND_CALLS = 60_000;
const LEAST = 0.99;

/** Where each call is looked at, and what stands there when it is not. */
const WITHOUT = {
  'src/calls/call-message.ts': [
    [/(function decideCall\(.*?\): Verdict \{).*?\n\}/s, '$1 return travels; }'],
    [/(function areCallsWatched\(\): boolean \{).*?\n\}/s, '$1 return false; }'],
  ],
  'src/calls/caller/outgoing.ts': [[/const verdict = any.*?;/s, 'const verdict = outside;']],
  'src/calls/caller/call-ends.ts': [
    [/if \(this\.#calls\.made\) this\.#readAt = .*?;/, ''],
    [/(tell\(.*?\): void \{).*?\n {2}\}/s, '$1 }'],
    [/return onEnd !== undefined .*?;/, 'return false;'],
  ],
  'src/calls/callee/watching.ts': [
    [/(follow\(call: RunningCall\): void \{).*?\n {2}\}/s, '$1 }'],
    [/(count\(tag: string.*?\): void \{).*?\n {2}\}/s, '$1 }'],
  ],
};

const folder = await mkdtemp(join(ROOT, 'node_modules', '.bench-'));
const pairs = [];
try {
  const libraries = { as: await bundle('as'), without: await bundle('without', WITHOUT) };
  const rounds = [];
  for (let turn = 0; turn < PAIRS; turn += 1) {
    const both = {};
    const names = turn % 2 === 0 ? ['as', 'without'] : ['without', 'as'];
    for (const name of names) {
      both[name] = await startPair('nothing', libraries[name]);
      pairs.push(both[name]);
    }
    for (const name of names) await both[name].round(WARM_CALLS);
    for (let round = 0; round < ROUNDS; round += 1) {
      const each = {};
      for (const name of round % 2 === 0 ? names : names.toReversed())
        each[name] = await both[name].round(ROUND_CALLS);
      rounds.push(each);
    }
    for (const pair of pairs.splice(0)) await pair.end();
  }
  const byTime = median(rounds.map(({ as, without }) => without.cpu / as.cpu));
  const byRate = median(rounds.map(({ as, without }) => as.perSecond / without.perSecond));
  const cost = (name) => median(rounds.map((each) => each[name].cpu)).toFixed(3);
  console.log(
    `a call takes ${cost('as')} µs, ${cost('without')} µs without the places, on both sides together`,
  );
  console.log(
    `not watched: ${byTime.toFixed(3)} by processor time, ${byRate.toFixed(3)} by calls/s (wanted: ${LEAST})`,
  );
  process.exitCode = byTime >= LEAST ? 0 : 1;
} finally {
  for (const pair of pairs) await pair.end();
  await rm(folder, { recursive: true, force: true });
}

/** @returns the file of a bundle of the sources, with these replacements */
async function bundle(name, replacements = {}) {
  const outfile = join(folder, `${name}.js`);
  const replaced = {
    name: 'replacements',
    setup({ onLoad }) {
      for (const [file, list] of Object.entries(replacements)) {
        const path = join(ROOT, file);
        onLoad(
          { filter: new RegExp(`^${RegExp.escape?.(path) ?? path.replaceAll('.', '\\.')}$`) },
          async () => {
            let contents = await readFile(path, 'utf8');
            for (const [pattern, text] of list) {
              if (!pattern.test(contents)) throw new Error(`${file} has no ${pattern} any more`);
              contents = contents.replace(pattern, text);
            }
            return { contents, loader: 'ts' };
          },
        );
      }
    },
  };
  await build({
    entryPoints: [join(ROOT, 'src/index.ts')],
    ...{ outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20.19', packages: 'external' },
    logLevel: 'warning',
    plugins: [replaced],
  });
  return outfile;
}
