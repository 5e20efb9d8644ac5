import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';

import type { Clock } from '../../base/clock.ts';

/** Before a watch that failed is tried again, in ms. */
const AGAIN = 30_000;

/**
 * Tells at once which names in a directory change. Watches run out, and on some mounts there are none: then nothing is
 * told, and whoever uses this has to look from time to time.
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
   * Begins to watch, or goes on.
   * @param identity of the directory: under the same name there may be another one now, of which the watch says nothing
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
