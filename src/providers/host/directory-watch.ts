import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';

import type { Clock } from '../../base/time/clock.ts';

/** Pause before a failed watch is tried again, in ms. */
const AGAIN = 30_000;

/**
 * Reports at once which names in a directory change. The system can run out of watches, and some mounts have none. Then nothing
 * is reported, so the user of this class must also scan the directory from time to time.
 */
export class DirectoryWatch {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #changed: (name: string) => void;
  #watcher: FSWatcher | undefined;
  #watched: string | undefined;
  #againAt = -Infinity;

  constructor(directory: string, clock: Clock, changed: (name: string) => void) {
    this.#directory = directory;
    this.#clock = clock;
    this.#changed = changed;
  }

  /**
   * Begins to watch, or continues.
   * @param identity identifies the directory: if another one now has the same name, the old watch does not report its changes
   */
  follow(identity: string): void {
    if (this.#watched === identity && (this.#watcher || this.#clock.now() < this.#againAt)) return;
    this.close();
    this.#watched = identity;
    try {
      this.#watcher = watch(this.#directory, { persistent: false }, (_, name) => {
        if (name) this.#changed(name);
      });
      this.#watcher.on('error', () => this.close());
    } catch {
      this.close();
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#againAt = this.#clock.now() + AGAIN;
  }
}
