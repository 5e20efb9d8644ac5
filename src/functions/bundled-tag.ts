import { isAbsolute } from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

import type { CallSite } from '../base/call-site.ts';
import { bundled, renamed } from '../base/stack.ts';
import { readableTag } from '../base/tag.ts';
import { hasLongLines, isBundle } from './bundle-signs.ts';

/** Minifiers begin with names of one letter. In a large bundle they need three. */
const SHORT = 2;
const SHORT_IN_BUNDLE = 3;

/** The files that were checked. A thread begins with those of the thread that started it, so that it does not warn again. */
const CHECKED = 'app-net.bundles';
const checked = new Set(getEnvironmentData(CHECKED) as Set<string> | undefined);

/**
 * Warns once a file of a tag that is derived in a bundle. The bundle's file is a part of the tag, so another build may derive
 * another tag, and nobody would notice.
 */
export function warnInBundle(tag: string, place: CallSite | undefined): void {
  const file = place?.file;
  if (file === undefined || !isAbsolute(file) || checked.has(file)) return;
  checked.add(file);
  setEnvironmentData(CHECKED, checked);
  if (!bundled && !isBundle(file)) return;
  const readable = readableTag(tag);
  const name = readable.slice(readable.lastIndexOf('/') + 1).replace(/^[^.]*\./, '');
  process.emitWarning(
    `${file} is a bundle, and the tag ${readable} is derived from the name of that file. Another build, or the same code without ` +
      `a bundler, has another tag. Give each function a tag: connect('${name}', fn)`,
    'AppNetWarning',
  );
}

/**
 * Refuses a name that a minifier made. In the next build another function may have it, and would be called instead.
 * @param fn the function or the class that has the name
 * @throws TypeError
 */
export function refuseMinified(name: string, fn: object, place: CallSite | undefined): void {
  if (!isMinified(name, fn, place?.file)) return;
  throw new TypeError(
    `connect: a minifier made the name ${JSON.stringify(name)}, and in the next build another function may have it; ` +
      "give a tag: connect('tag', fn)",
  );
}

/** The same for a class of errors, whose name is the one on the wire. @throws TypeError */
export function refuseMinifiedError(errorClass: { name: string }, place: CallSite | undefined): void {
  const { name } = errorClass;
  if (!isMinified(name, errorClass, place?.file)) return;
  throw new TypeError(
    `registerError: a minifier made the name ${JSON.stringify(name)}, and in the next build another class may have it; ` +
      "give the name, too: registerError(MyError, 'MyError')",
  );
}

function isMinified(name: string, fn: object, file: string | undefined): boolean {
  if (renamed) return name.length <= SHORT_IN_BUNDLE;
  if (name.length > SHORT || file === undefined || !isAbsolute(file)) return false;
  // People leave spaces in one of the two places; a minifier leaves none.
  return /\)\{|\S=>\S|^class[^{]*\S\{/.test(Function.prototype.toString.call(fn)) && hasLongLines(file);
}
