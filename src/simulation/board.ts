import { MemoryBoard } from '../providers/memory.ts';
import type { Provider } from '../providers/provider.ts';
import type { Life } from './life.ts';
import type { Timeline } from './timeline.ts';

/** How long until the others see an announcement, in ms, as with a directory that is watched. */
const NOTICED = 1;

/** Where the processes of a world find each other. Each hears of it in an event of its own, as a process does. */
export class Board {
  readonly #board = new MemoryBoard();
  readonly #timeline: Timeline;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  provider(life: Life): Provider {
    const provider = this.#board.provider();
    const later = (run: () => void): void => {
      this.#timeline.after(NOTICED, life, run, true);
    };
    return {
      ...provider,
      start: (self, listener) =>
        provider.start(self, {
          ...listener,
          found: (hint) => later(() => listener.found(hint)),
          lost: (key, incarnation) => later(() => listener.lost(key, incarnation)),
          scanned: () => later(() => listener.scanned()),
          degraded: (reason) => listener.degraded(reason),
        }),
    };
  }

  kill({ id }: Life): void {
    this.#board.kill(id);
  }
}
