// Shorter names for what is inside of a page. A bundler cannot shorten the names of properties, as it cannot know which of them
// come from elsewhere, so these are listed. They save 0.3 kB (gzip).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Properties of the page's own classes and objects. Neither users nor the wire know them, and no object of a browser that the page
 * touches has one of the same name.
 */
const NAMES = [
  'answered',
  'asked',
  'attempt',
  'becomeStream',
  'beside',
  'binaries',
  'callee',
  'complete',
  'congested',
  'credit',
  'cut',
  'drain',
  'drained',
  'ended',
  'events',
  'fail',
  'flush',
  'given',
  'goodbye',
  'heard',
  'isHidden',
  'isIdle',
  'leave',
  'leaving',
  'link',
  'listeners',
  'lost',
  'opened',
  'outgoing',
  'pump',
  'reader',
  'readers',
  'received',
  'refusal',
  'refuse',
  'refused',
  'release',
  'run',
  'sent',
  'server',
  'settle',
  'settled',
  'shown',
  'socket',
  'tell',
  'tellFunctions',
  'told',
  'trouble',
  'wakeBy',
  'whenDrained',
  'within',
  'writer',
  'writers',
];

/** Files that say what others know of: the declarations that users get, and the wire. */
const KNOWN_ELSEWHERE = [
  'build/base/errors.d.ts',
  'build/page/connect-page.d.ts',
  'build/page/page-event.d.ts',
  'build/page/page-types.d.ts',
  'build/page/page.d.ts',
  'src/wire/beside.ts',
  'src/wire/frames.ts',
];

/** What esbuild's `mangleProps` takes. */
export const shortened = new RegExp(`^(?:${NAMES.join('|')})$`);

/** @param cache what esbuild made of `mangleCache` @throws for a name that must not be listed, or that nothing has */
export function checkShortened(root, cache) {
  for (const file of KNOWN_ELSEWHERE) {
    const text = readFileSync(join(root, file), 'utf8');
    const names = Array.from(
      text.matchAll(/^\s+(?:readonly |get |set )?(\w+)[?]?[:(<]/gm),
      ([, name]) => name,
    );
    const known = names.find((name) => shortened.test(name));
    if (known) throw new Error(`tools/package/page-names.js: others know ${known}, see ${file}`);
  }
  const unused = NAMES.filter((name) => !Object.hasOwn(cache, name));
  if (unused.length > 0)
    throw new Error(`tools/package/page-names.js: nothing is called ${unused.join(', ')}`);
}
