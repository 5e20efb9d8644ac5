import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * Reads a small file of which only the name is known. It may be huge, a directory, a device, or a pipe that nobody writes to. So
 * it reads no more than asked for, and never waits for a writer.
 */

/** Opens a pipe without waiting for its other end. Windows does not have this flag. */
const AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Opens only the file itself: a symbolic link is refused. */
export const ITSELF = AT_ONCE | (constants.O_NOFOLLOW ?? 0);

/** Follows symbolic links: container platforms provide secrets that way. */
export const FOLLOWED = AT_ONCE;

export interface SmallFile {
  bytes: Buffer;
  stats: Stats;
}

/**
 * @param largest bytes, at most
 * @param check checks the opened file before anything is read, and throws to refuse it
 * @throws NotSmall, or the file system's own error
 */
export async function readSmallFile(
  path: string,
  largest: number,
  flags: number,
  check: (stats: Stats) => void = () => {},
): Promise<SmallFile> {
  // Open once and check the open file: the name may stand for another file a moment later.
  const file = await open(path, flags);
  try {
    const stats = await file.stat();
    check(stats);
    refuseUnfit(stats, largest);
    const buffer = Buffer.alloc(largest + 1);
    for (let length = 0; length < buffer.length;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      // The system says that some files are empty that are not.
      const isWhole = bytesRead === 0 || (length === stats.size && length < buffer.length);
      if (isWhole) return { bytes: buffer.subarray(0, length), stats };
    }
    throw tooLarge(largest);
  } finally {
    await file.close();
  }
}

/** The same, synchronously, for the exit of a process. @throws NotSmall, or the file system's own error */
export function readSmallFileSync(path: string, largest: number, flags: number): SmallFile {
  const file = openSync(path, flags);
  try {
    const stats = fstatSync(file);
    refuseUnfit(stats, largest);
    const buffer = Buffer.alloc(largest + 1);
    for (let length = 0; length < buffer.length;) {
      const bytesRead = readSync(file, buffer, length, buffer.length - length, null);
      if (bytesRead === 0) return { bytes: buffer.subarray(0, length), stats };
      length += bytesRead;
    }
    throw tooLarge(largest);
  } finally {
    closeSync(file);
  }
}

/** It is not a regular file, or is larger than asked for. */
export class NotSmall extends Error {}

function refuseUnfit(stats: Stats, largest: number): void {
  if (!stats.isFile()) throw new NotSmall('is not a regular file');
  if (stats.size > largest) throw tooLarge(largest);
}

/** Used also for a file that grows while it is read, or whose size the file system does not know. */
function tooLarge(largest: number): NotSmall {
  return new NotSmall(`is larger than ${largest} bytes`);
}
