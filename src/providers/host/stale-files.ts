import { unlinkSync } from 'node:fs';
import { lstat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { isRunning } from '../../base/process/host-process.ts';
import { readAnnouncement, readAnnouncementSync } from './announcement-file.ts';
import type { FoundAnnouncement } from './announcement-file.ts';
import { ownPlace, shareProcesses } from './place.ts';

/**
 * Removes the files that killed peers have left behind in the runtime directory. A file is removed if its peer is known to be
 * dead, or if nobody has kept it fresh. A living peer rewrites its file every 5 minutes, and within 2 s if the file is missing.
 * So a wrong removal, for example after a host was suspended for hours, repairs itself.
 */

/** A file older than this, in ms, is not kept fresh by anybody. */
const STALE = 30 * 60_000;

/** After so many fresh files in a row a peer looks no further: each of five hundred that start at once would look at all. */
const FRESH_IN_A_ROW = 32;

/** The names of drafts: of announcements, of the secret, and of `doctor`. */
const DRAFT = /^\.(?:[\w-]+\.[\w-]+\.draft|(?:secret|doctor)-[0-9a-f]{12})$/;

export function isDraft(name: string): boolean {
  return DRAFT.test(name);
}

/** Whether this process can see the processes of the peer's place, and the peer's process does not exist. */
export function isDead({ from, pid }: FoundAnnouncement): boolean {
  return shareProcesses(from, ownPlace()) && !isRunning(pid!);
}

/** Whether this process can see the processes of the peer's place, and the process id exists. Another process may have it now. */
function isAlive({ from, pid }: FoundAnnouncement): boolean {
  return shareProcesses(from, ownPlace()) && isRunning(pid!);
}

/** Removes an announcement, unless it is already of another life. It is read and removed synchronously, in one step. */
export function removeAnnouncement(directory: string, name: string, incarnation: string): void {
  const path = join(directory, name);
  try {
    if (readAnnouncementSync(path)?.incarnation === incarnation) unlinkSync(path);
  } catch {
    // Another peer removed it first.
  }
}

/**
 * Removes files that nobody keeps fresh, one after the other: there can be thousands, and there is no hurry. A peer looks at those
 * behind its own in the list, round the end of it, so that all peers together look at all.
 * @param names names of announcements and of drafts
 * @param own the name of this peer's own file
 * @param now in ms, by the clock of the file system
 */
export async function removeStale(
  directory: string,
  names: readonly string[],
  own: string,
  now: number,
): Promise<void> {
  const place = names.indexOf(own);
  let fresh = 0;
  for (const name of [...names.slice(place + 1), ...names.slice(0, Math.max(0, place))]) {
    if (fresh === FRESH_IN_A_ROW) return;
    const path = join(directory, name);
    try {
      const stats = await lstat(path);
      if (!stats.isFile() || now - stats.mtimeMs < STALE) {
        fresh += 1;
        continue;
      }
      fresh = 0;
      if (isDraft(name)) await unlink(path);
      else {
        const announced = await readAnnouncement(path);
        // A file that is not an announcement belongs to somebody else, or to a later version.
        if (announced && !isAlive(announced)) removeAnnouncement(directory, name, announced.incarnation);
      }
    } catch {
      // The file is gone, or we may not remove it.
    }
  }
}
