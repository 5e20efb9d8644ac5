import { readFileSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, relative, sep } from 'node:path';

import type { CallSite } from '../base/call-site.ts';

/** Node's names for code without a file. In ES modules they are names in the working directory. */
const NO_FILE = /^\[(?:eval|stdin|worker eval)\d*\]$/;

/**
 * The module half of a derived tag: `<package name>/<path in the package, without extension>` of the file that called
 * `connect`. It is the same on every host where the package is installed.
 */
export function moduleOf(site: CallSite | undefined): string {
  const file = site?.file;
  // A REPL, `node -e` and standard input have no file, so all such processes count as the same module.
  if (!file || !isAbsolute(file) || NO_FILE.test(basename(file))) return 'main';
  const { root, name } = packageOf(dirname(file));
  const path = relative(root, file).split(sep).join('/');
  return `${name}/${path.slice(0, path.length - extname(path).length)}`;
}

interface Package {
  root: string;
  name: string;
}

const packages = new Map<string, Package>();

/** The nearest folder upwards whose package.json has a name; if there is none, the folder itself with its own name. */
function packageOf(folder: string): Package {
  const known = packages.get(folder);
  if (known) return known;
  let found: Package = { root: folder, name: basename(folder) || 'main' };
  for (let at = folder; ; at = dirname(at)) {
    const name = packageNameIn(at);
    if (name) found = { root: at, name };
    if (name || dirname(at) === at) break;
  }
  packages.set(folder, found);
  return found;
}

function packageNameIn(folder: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown };
    return typeof name === 'string' && name ? name : undefined;
  } catch {
    return undefined;
  }
}
