import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { readAnnouncement, SUFFIX } from './announcement-file.ts';
import { readOrMakeSecret, readOwnSecret, SECRET_NAME } from './runtime-directory.ts';
import { isDead } from './stale-files.ts';

/**
 * The secret in the runtime directory, kept there. If its file alone were lost, the next peer would make another one, and
 * neither those that run nor those that start from then on would see the others. So every peer that has it puts it back,
 * and one that starts gives them the time to.
 */

/** How long a peer that finds others and no secret waits for it, in ms: those look at the directory every 2 s. */
const PATIENCE = 4_000;

/** Between two looks, in ms. */
const LOOK = 50;

/** Announcements that are looked at, to know whether there is anybody. */
const MOST_READ = 256;

export class SharedSecret {
  readonly #directory: string;
  readonly #madeAnother: (peers: number) => void;
  #secret: string | undefined;
  /** What the file was like when it was last read, and what was wrong with it. */
  #seen: string | undefined;
  #fault: Error | undefined;

  /** @param madeAnother is told how many peers are announced that have another secret than the one that was just made */
  constructor(directory: string, madeAnother: (peers: number) => void) {
    this.#directory = directory;
    this.#madeAnother = madeAnother;
  }

  /** Reads it, or makes it. @throws what `readOrMakeSecret` throws */
  async get(): Promise<string> {
    const there = await this.#read();
    const others = there === undefined ? await this.#countOthers() : 0;
    const putBack = others > 0 ? await this.#await() : undefined;
    const known = there ?? putBack;
    this.#secret = known ?? (await readOrMakeSecret(this.#directory));
    if (others > 0 && known === undefined) this.#madeAnother(others);
    return this.#secret;
  }

  /** Puts it back where it is missing. @returns what is wrong with it */
  async keep(): Promise<Error | undefined> {
    const secret = this.#secret;
    if (secret === undefined) return undefined;
    try {
      const seen = await this.#look();
      if (seen !== undefined && seen === this.#seen) return this.#fault;
      const there = await readOrMakeSecret(this.#directory, secret);
      this.#fault = there === secret ? undefined : this.#wasReplaced();
      this.#seen = await this.#look();
    } catch (error) {
      this.#seen = undefined;
      this.#fault = error instanceof Error ? error : new Error(String(error));
    }
    return this.#fault;
  }

  #wasReplaced(): Error {
    return new Error(
      `the secret in ${this.#directory} is another one than this peer has: peers that start from now on do not see it; ` +
        'restart this peer',
    );
  }

  /** Undefined when there is no such file. */
  async #look(): Promise<string | undefined> {
    const stats = await lstat(join(this.#directory, SECRET_NAME)).catch(unlessMissing);
    return stats && fingerprint(stats);
  }

  async #read(): Promise<string | undefined> {
    return readOwnSecret(this.#directory).catch(unlessMissing);
  }

  /** In the system's time: who puts it back does not know of another clock. */
  async #await(): Promise<string | undefined> {
    for (let waited = 0; waited < PATIENCE; waited += LOOK) {
      await wait(LOOK);
      const secret = await this.#read();
      if (secret !== undefined) return secret;
    }
    return undefined;
  }

  async #countOthers(): Promise<number> {
    const names = await readdir(this.#directory);
    const announced = names.filter((name) => name.endsWith(SUFFIX)).slice(0, MOST_READ);
    let count = 0;
    for (const name of announced) {
      const other = await readAnnouncement(join(this.#directory, name));
      if (other?.world !== undefined && !isDead(other)) count += 1;
    }
    return count;
  }
}

function fingerprint({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
