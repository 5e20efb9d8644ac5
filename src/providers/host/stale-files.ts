import { unlinkSync } from 'node:fs';
import { lstat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { readAnnouncement, readAnnouncementSync } from './announcement-file.ts';
import type { FoundAnnouncement } from './announcement-file.ts';
import { ownPlace, shareProcesses } from './place.ts';

/**
 * What peers that were killed have left behind in the runtime directory. A file is removed when its peer is known to be
 * dead, or when nobody has kept it fresh: a living peer writes its own anew every 5 minutes, and within 2 s when it is
 * missing, so that a mistake, after hours of a suspended host for example, mends itself.
 */

/** Age of a file that nobody keeps fresh, in ms. */
const STALE = 30 * 60_000;

/** Files on their way to their names, of announcements, of the secret and of `doctor`. */
const DRAFT = /^\.(?:[\w-]+\.[\w-]+\.draft|(?:secret|doctor)-[0-9a-f]{12})$/;

export function isDraft(name: string): boolean {
  return DRAFT.test(name);
}

/** Whether the process that wrote it is seen from here, and there is no such process. */
export function isDead({ from, pid }: FoundAnnouncement): boolean {
  return shareProcesses(from, ownPlace()) && !isRunning(pid!);
}

/** Whether the process that wrote it is seen from here, and there is such a process; perhaps another one by now. */
function isAlive({ from, pid }: FoundAnnouncement): boolean {
  return shareProcesses(from, ownPlace()) && isRunning(pid!);
}

/** Unless there is another life's announcement by now: it is looked at and removed in one step. */
export function removeAnnouncement(directory: string, name: string, incarnation: string): void {
  const path = join(directory, name);
  try {
    if (readAnnouncementSync(path)?.incarnation === incarnation) unlinkSync(path);
  } catch {
    // Another peer removed it first.
  }
}

/**
 * Removes files that nobody has kept fresh. One after the other: there can be thousands, and there is no hurry.
 * @param names of announcements, and of drafts
 * @param now by the clock of the file system, in ms
 */
export async function removeStale(directory: string, names: Iterable<string>, now: number): Promise<void> {
  for (const name of names) {
    const path = join(directory, name);
    try {
      const stats = await lstat(path);
      if (!stats.isFile() || now - stats.mtimeMs < STALE) continue;
      if (isDraft(name)) await unlink(path);
      else {
        const announced = await readAnnouncement(path);
        // What is no announcement is somebody else's, or of a later version.
        if (announced && !isAlive(announced)) removeAnnouncement(directory, name, announced.incarnation);
      }
    } catch {
      // Gone, or not ours to remove.
    }
  }
}

/** A signal of 0 is delivered to nobody. @returns false only where there is no such process */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
