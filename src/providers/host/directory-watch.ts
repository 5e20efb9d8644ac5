import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';

import type { Clock } from '../../base/time/clock.ts';

/** Pause before a failed watch is tried again, in ms. */
const AGAIN = 30_000;

interface SharedWatch {
  readonly watcher: FSWatcher;
  readonly users: Set<DirectoryWatch>;
}

/** By directory and identity. The peers of one process share a watch: the system reports each change once, and not once for each of them. */
const shared = new Map<string, SharedWatch>();

/**
 * Reports at once which names in a directory change. The system can run out of watches, and some mounts have none. Then nothing
 * is reported, so the user of this class must also scan the directory from time to time.
 */
export class DirectoryWatch {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #changed: (name: string) => void;
  /** Names the shared watch, while this is one of its users. */
  #key: string | undefined;
  #watched: string | undefined;
  #againAt = -Infinity;

  constructor(directory: string, clock: Clock, changed: (name: string) => void) {
    this.#directory = directory;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** Whether changes are reported, as far as the system tells. */
  get isWatching(): boolean {
    return this.#key !== undefined;
  }

  /**
   * Begins to watch, or continues.
   * @param identity identifies the directory: if another one now has the same name, the old watch does not report its changes
   */
  follow(identity: string): void {
    if (this.#watched === identity && (this.isWatching || this.#clock.now() < this.#againAt)) return;
    this.close();
    this.#watched = identity;
    const key = `${identity} ${this.#directory}`;
    try {
      const { users } = shared.get(key) ?? share(key, this.#directory);
      users.add(this);
      this.#key = key;
    } catch {
      this.close();
    }
  }

  report(name: string): void {
    this.#changed(name);
  }

  close(): void {
    this.#againAt = this.#clock.now() + AGAIN;
    if (this.#key === undefined) return;
    const { watcher, users } = shared.get(this.#key)!;
    users.delete(this);
    if (users.size === 0) {
      watcher.close();
      shared.delete(this.#key);
    }
    this.#key = undefined;
  }
}

/** @throws the system's own error */
function share(key: string, directory: string): SharedWatch {
  const users = new Set<DirectoryWatch>();
  const watcher = watch(directory, { persistent: false }, (_, name) => {
    if (name) for (const user of users) user.report(name);
  });
  watcher.on('error', () => {
    for (const user of users) user.close();
  });
  const made = { watcher, users };
  shared.set(key, made);
  return made;
}
