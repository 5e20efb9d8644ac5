import { readFileSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, relative, sep } from 'node:path';

import type { CallSite } from '../base/call-site.ts';

/** The longest tag that is accepted, in characters. */
export const LONGEST_TAG = 1024;

/** What the tags of functions that the library itself brings begin with; no tag of a user's may. */
export const RESERVED = 'net.';

/** The functions that every peer has. */
export const DEFAULT_TAGS = {
  /** What the peer says about itself. */
  info: `${RESERVED}info`,
  /** Nothing, and soon. */
  ping: `${RESERVED}ping`,
  /** Gives its arguments back. */
  passThrough: `${RESERVED}passThrough`,
} as const;

export function isDefaultTag(tag: string): boolean {
  return tag === DEFAULT_TAGS.info || tag === DEFAULT_TAGS.ping || tag === DEFAULT_TAGS.passThrough;
}

/** What a derived tag says when it is read: `my-app/math.multiplyValues`. */
const DERIVED = /^.+\.[^.]+$/u;

/** The base64 (URL alphabet) of `<module>.<name>`. */
export function encodeTag(module: string, name: string): string {
  return Buffer.from(`${module}.${name}`, 'utf8').toString('base64url');
}

/** A tag as a person reads it: `my-app/math.multiplyValues` for a derived one, a given one as it is. */
export function readableTag(tag: string): string {
  if (!/^[\w-]{8,}$/.test(tag)) return tag;
  const text = Buffer.from(tag, 'base64url').toString('utf8');
  const canonical = Buffer.from(text, 'utf8').toString('base64url') === tag;
  // eslint-disable-next-line no-control-regex -- control characters are what must not pass
  return canonical && DERIVED.test(text) && !/[\u0000-\u001f\u007f\ufffd]/.test(text) ? text : tag;
}

/** A tag as it is shown to who asked for another: one that reads like what was asked for is told from it. */
export function nameFor(tag: string, wanted: string): string {
  const name = readableTag(tag);
  return name === wanted && tag !== wanted ? `${name}, whose tag is ${tag}` : name;
}

/** The function's own name: people mistype that, not the module. */
export function nameIn(tag: string): string {
  return readableTag(tag).replace(/^.*[./]/, '');
}

/** What Node calls code without a file; as an ES module, in the working directory. */
const NO_FILE = /^\[(?:eval|stdin|worker eval)\d*\]$/;

/**
 * The module half of a derived tag: `<package name>/<path in the package, without extension>` of the file that
 * called `connect`. It is the same on every host the package is installed on.
 */
export function moduleOf(site: CallSite | undefined): string {
  const file = site?.file;
  // A REPL, `node -e` or standard input: there is no file, so every such process counts as the same module.
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

/** The nearest folder upwards with a package.json that has a name; else the folder itself, by its own name. */
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
