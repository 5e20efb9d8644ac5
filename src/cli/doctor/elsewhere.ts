import { lstat } from 'node:fs/promises';

import { defaultRuntimeDirectory } from '../../providers/host/runtime-directory.ts';
import { announcements, isRunning } from './peers.ts';
import type { Result } from './report.ts';
import { count } from '../terminal/units.ts';

/**
 * The check of `doctor` for peers of this user that look for each other in another directory. Services and containers
 * usually have no `XDG_RUNTIME_DIR` and a login shell usually has one, so the two use different directories by default.
 */

/** How many processes are named. */
const MOST_NAMED = 5;

/**
 * @param used the directory that peers of this environment use
 * @param found ids of the peers that this one sees, by any provider
 */
export async function checkElsewhere(
  used: string,
  environment: NodeJS.ProcessEnv,
  found: ReadonlySet<string>,
): Promise<Result[]> {
  const places = await defaultPlaces(environment);
  const results = await Promise.all(
    places
      .filter(({ directory }) => directory !== used)
      .map((place) => look(place, used, environment, found)),
  );
  return results.flat();
}

interface Place {
  directory: string;
  /** Which processes use it by default. */
  by: string;
}

async function defaultPlaces(environment: NodeJS.ProcessEnv): Promise<Place[]> {
  const uid = process.getuid?.();
  const bases = [environment['XDG_RUNTIME_DIR'], uid === undefined ? undefined : `/run/user/${uid}`];
  const without = { directory: await defaultRuntimeDirectory({}), by: 'without XDG_RUNTIME_DIR' };
  const places = new Map([[without.directory, without]]);
  for (const base of bases) {
    if (!base) continue;
    const directory = await defaultRuntimeDirectory({ XDG_RUNTIME_DIR: base });
    if (!places.has(directory)) places.set(directory, { directory, by: `with XDG_RUNTIME_DIR=${base}` });
  }
  return [...places.values()];
}

async function look(
  { directory, by }: Place,
  used: string,
  environment: NodeJS.ProcessEnv,
  found: ReadonlySet<string>,
): Promise<Result[]> {
  if (!(await isOwnFolder(directory))) return [];
  const pids = (await announcements(directory)).flatMap(({ peer }) =>
    peer?.pid !== undefined && !found.has(peer.id) && isRunning(peer.pid) ? [peer.pid] : [],
  );
  if (pids.length === 0) return [];
  const named = [...new Set(pids)].slice(0, MOST_NAMED).join(', ');
  return [
    {
      // A directory that was chosen explicitly is usually meant to keep peers apart.
      status: environment['APP_NET_RUNTIME_DIR'] ? 'note' : 'problem',
      check: 'other directory',
      says: `${count(pids.length, 'peer')} (process ${named}) in ${directory}, where processes ${by} look; peers of this environment look in ${used}, so the two do not see each other`,
      todo: 'give both the same APP_NET_RUNTIME_DIR; ignore this if you want them apart',
    },
  ];
}

async function isOwnFolder(path: string): Promise<boolean> {
  try {
    const stats = await lstat(path);
    return stats.isDirectory() && (process.getuid === undefined || stats.uid === process.getuid());
  } catch {
    return false;
  }
}
