import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { readAnnouncement, SUFFIX } from './announcement-file.ts';
import { readOrMakeSecret, readOwnSecret, SECRET_NAME } from './runtime-directory.ts';
import { isDead } from './stale-files.ts';
import { messageOf } from '../../base/text.ts';

/**
 * Keeps the secret in the runtime directory. If only its file were lost, the next peer would create another secret, and running
 * peers and new peers would not see each other. So every peer that has the secret puts it back, and a starting peer waits for
 * that.
 */

/** How long a peer that finds others but no secret waits for it, in ms. The others scan the directory every 2 s. */
const PATIENCE = 4_000;

/** Time between two attempts to read it, in ms. */
const LOOK = 50;

/** Announcements that are read, at most, to see whether there are other peers. */
const MOST_READ = 256;

export class SharedSecret {
  readonly #directory: string;
  readonly #madeAnother: (peers: number) => void;
  #secret: string | undefined;
  /** The fingerprint of the file when it was last read, and the problem with it. */
  #seen: string | undefined;
  #fault: Error | undefined;

  /** @param madeAnother called after a new secret was created, with the number of announced peers that have another one */
  constructor(directory: string, madeAnother: (peers: number) => void) {
    this.#directory = directory;
    this.#madeAnother = madeAnother;
  }

  /** Reads or creates the secret. @throws what `readOrMakeSecret` throws */
  async get(): Promise<string> {
    const there = await this.#read();
    const others = there === undefined ? await this.#countOthers() : 0;
    const putBack = others > 0 ? await this.#await() : undefined;
    const known = there ?? putBack;
    this.#secret = known ?? (await readOrMakeSecret(this.#directory));
    if (others > 0 && known === undefined) this.#madeAnother(others);
    return this.#secret;
  }

  /** Puts the secret back if it is missing. @returns the problem with the file, if there is one */
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
      this.#fault = error instanceof Error ? error : new Error(messageOf(error));
    }
    return this.#fault;
  }

  #wasReplaced(): Error {
    return new Error(
      `the secret in ${this.#directory} has changed, so this peer and peers that start from now on do not see each other; ` +
        'restart this peer',
    );
  }

  /** The fingerprint of the file; undefined if there is none. */
  async #look(): Promise<string | undefined> {
    const stats = await lstat(join(this.#directory, SECRET_NAME)).catch(unlessMissing);
    return stats && fingerprint(stats);
  }

  async #read(): Promise<string | undefined> {
    return readOwnSecret(this.#directory).catch(unlessMissing);
  }

  /** Waits in system time, because the peer that puts the secret back has another clock. */
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
