import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { buildSync } from 'esbuild';

import { needChromiumHere } from '../support/browser.ts';
import { needNode24 } from '../support/node-24.ts';
import { needPackage } from '../support/npm-tool.ts';
import { LIBRARY } from '../support/processes.ts';
import { needPython } from '../support/python.ts';
import type { Program } from './driver.ts';

const path = (name: string): string => fileURLToPath(new URL(`drivers/${name}`, import.meta.url));

/** Folder of the drivers as one file of JavaScript each, which every runtime starts in a moment. Made once. */
let built: string | undefined;

function driver(name: 'node' | 'page-here', library: string): string[] {
  if (!built) {
    const folder = (built = mkdtempSync(join(tmpdir(), 'app-net-driver-')));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const options = {
      bundle: true,
      format: 'esm',
      platform: 'node',
      outExtension: { '.js': '.mjs' },
    } as const;
    buildSync({ entryPoints: [path('node.ts'), path('page-here.ts')], ...options, outdir: folder });
  }
  return [join(built, `${name}.mjs`), library];
}

const onNode = (): string[] => driver('node', LIBRARY);
const PAGE = new URL('page.js', LIBRARY).href;

/** The real Node peer that every implementation is tried against. It runs on the Node that runs the suite. */
export const counterpart = (): Program => ({ name: 'Node', command: process.execPath, args: onNode() });

/** How to start each implementation. Skips the tests where it cannot be had; fails where CI is set. */
export const programs: { [name: string]: (test: Mocha.Context) => Promise<Omit<Program, 'name'>> } = {
  'this Node': async () => counterpart(),
  'Node 24': async (test) => ({ command: await needNode24(test), args: onNode() }),
  Bun: async (test) => ({
    command: await needPackage(test, `@oven/bun-${process.platform}-${process.arch}`, '1.4.5', 'bin/bun'),
    args: ['run', ...onNode()],
  }),
  Deno: async (test) => ({
    command: await needPackage(test, `@deno/${process.platform}-${process.arch}-glibc`, '2.9.6', 'deno'),
    args: ['run', '--allow-all', '--no-config', '--no-lock', ...onNode()],
  }),
  'the page on Node 24': async (test) => ({
    command: await needNode24(test),
    args: driver('page-here', PAGE),
  }),
  'the page in Chromium': async (test) => {
    needChromiumHere(test);
    return {
      command: process.execPath,
      args: ['--import', import.meta.resolve('tsx'), path('page-in-browser.ts')],
    };
  },
  Python: async (test) => ({ command: await needPython(test), args: [path('python.py')] }),
};
