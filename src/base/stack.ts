import { basename, dirname, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

import { callSite } from './call-site.ts';

/** The name of the file that this code is in, with a hash. Defined by our build. Not defined when the sources run. */
declare const APP_NET_FILE: string | undefined;

/** The file that runs. Not `import.meta.url`: bundlers leave it out of CommonJS, or write the path at build time into it. */
function runningFile(): string {
  const self = (): string => callSite(self)?.file ?? '';
  return self();
}

const FILE = runningFile();

/** With `--frozen-intrinsics` and source maps the engine names the source instead. */
const SOURCE = join('base', 'stack.ts');

/**
 * Whether this library is a part of an application's bundle. No frame of a file can then be taken for ours, because the
 * user's code is in the same file.
 */
export const bundled =
  typeof APP_NET_FILE === 'string' &&
  FILE !== '' &&
  basename(FILE) !== APP_NET_FILE &&
  !FILE.endsWith(SOURCE);

/** Whether the bundle was minified with other names for its functions. */
export const renamed = bundled && !runningFile.name.startsWith('runningFile');

/** The parts of a frame that name our files. Stacks name the sources where source maps are enabled. */
const NAMES = ['/node_modules/app-net/dist/', '/node_modules/app-net/src/', ...(bundled ? [] : folders())];

/** The folder of our bundle, or of our sources. Stacks write files as URLs or as paths. */
function folders(): string[] {
  const here = dirname(FILE);
  const home = basename(here) === 'base' ? dirname(here) : here;
  return [home, join(home, '../src')].flatMap((folder) => [
    join(folder, sep),
    `${pathToFileURL(folder).href}/`,
  ]);
}

/** Whether a line of a stack is in this library. */
export function ownFrame(line: string): boolean {
  return NAMES.some((name) => line.includes(name));
}

/**
 * The stack above this library. The frames from the library's first one on only show how the request went from the socket to
 * the function.
 */
export function trimStack(stack: string): string {
  const lines = stack.split('\n');
  const end = lines.findIndex((line) => line.startsWith('    at ') && ownFrame(line));
  return end < 0 ? stack : lines.slice(0, end).join('\n');
}
