import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * Reads a small file of which nothing is known but its name. It may be huge, a directory, a device, or a pipe that nobody
 * writes to; so no more is read than was asked for, and nothing is waited for.
 */

/** Opens a pipe without waiting for its other end. Not known to Windows. */
const AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Not behind a symbolic link, either. */
export const ITSELF = AT_ONCE | (constants.O_NOFOLLOW ?? 0);

/** Behind symbolic links, too: container platforms hand out secrets that way. */
export const FOLLOWED = AT_ONCE;

export interface SmallFile {
  bytes: Buffer;
  stats: Stats;
}

/**
 * @param largest bytes
 * @param check looks at the opened file before anything is read of it, and throws
 * @throws NotSmall, or the file system's own error
 */
export async function readSmallFile(
  path: string,
  largest: number,
  flags: number,
  check: (stats: Stats) => void = () => {},
): Promise<SmallFile> {
  // Opened once: what is checked is what is read, whatever the name stands for a moment later.
  const file = await open(path, flags);
  try {
    const stats = await file.stat();
    check(stats);
    refuseUnfit(stats, largest);
    const buffer = Buffer.alloc(largest + 1);
    for (let length = 0; length < buffer.length;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) return { bytes: buffer.subarray(0, length), stats };
      length += bytesRead;
    }
    throw tooLarge(largest);
  } finally {
    await file.close();
  }
}

/** The same for the last moment of a process. @throws NotSmall, or the file system's own error */
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

/** What is there is no file, or more than was asked for. */
export class NotSmall extends Error {}

function refuseUnfit(stats: Stats, largest: number): void {
  if (!stats.isFile()) throw new NotSmall('is not a regular file');
  if (stats.size > largest) throw tooLarge(largest);
}

/** Also one that grows while it is read, or whose size the file system does not know. */
function tooLarge(largest: number): NotSmall {
  return new NotSmall(`is larger than ${largest} bytes`);
}
