import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { buildSync } from 'esbuild';

import { needNode24 } from '../support/node-24.ts';
import { needPackage } from '../support/npm-tool.ts';
import { LIBRARY } from '../support/processes.ts';
import { needPython } from '../support/python.ts';
import type { Program } from './driver.ts';

const path = (name: string): string => fileURLToPath(new URL(`drivers/${name}`, import.meta.url));

/** The driver of this library as one file of JavaScript, which every runtime starts in a moment. Made once. */
let built: string | undefined;

function driver(): string[] {
  if (!built) {
    const folder = (built = mkdtempSync(join(tmpdir(), 'app-net-driver-')));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const entryPoints = [path('node.ts')];
    buildSync({
      entryPoints,
      bundle: true,
      format: 'esm',
      platform: 'node',
      outfile: join(folder, 'driver.mjs'),
    });
  }
  return [join(built, 'driver.mjs'), LIBRARY];
}

/** The real Node peer that every implementation is tried against. It runs on the Node that runs the suite. */
export const counterpart = (): Program => ({ name: 'Node', command: process.execPath, args: driver() });

/** How to start each implementation. Skips the tests where it cannot be had; fails where CI is set. */
export const programs: { [name: string]: (test: Mocha.Context) => Promise<Omit<Program, 'name'>> } = {
  'this Node': async () => counterpart(),
  'Node 24': async (test) => ({ command: await needNode24(test), args: driver() }),
  Bun: async (test) => ({
    command: await needPackage(test, `@oven/bun-${process.platform}-${process.arch}`, '1.4.5', 'bin/bun'),
    args: ['run', ...driver()],
  }),
  Deno: async (test) => ({
    command: await needPackage(test, `@deno/${process.platform}-${process.arch}-glibc`, '2.9.6', 'deno'),
    args: ['run', '--allow-all', '--no-config', '--no-lock', ...driver()],
  }),
  Python: async (test) => ({ command: await needPython(test), args: [path('python.py')] }),
};
