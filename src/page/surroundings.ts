/** What a page is told of its surroundings. */
export interface Told {
  /** The network is back, or the page is shown again. */
  readonly back: () => void;
  /** The page goes away, or into the cache of its browser. */
  readonly hidden: () => void;
}

interface Target {
  addEventListener?(type: string, listener: () => void, options: { signal: AbortSignal }): void;
}

/** The events of browsers that matter to a connection. Elsewhere there are none. */
export class Surroundings {
  /** Whether the page is in the cache of its browser, or on its way there. */
  isHidden = false;
  readonly #end = new AbortController();

  constructor({ back, hidden }: Told) {
    const { document } = globalThis as { document?: Target & { visibilityState: string } };
    const hear = (type: string, listener: () => void, target = globalThis as Target): void =>
      target.addEventListener?.(type, listener, this.#end);
    const turn = (isHidden: boolean, then: () => void) => () => {
      this.isHidden = isHidden;
      then();
    };
    hear('online', back);
    hear('pagehide', turn(true, hidden));
    hear('pageshow', turn(false, back));
    if (document) hear('visibilitychange', () => document.visibilityState === 'visible' && back(), document);
  }

  leave(): void {
    this.#end.abort();
  }
}
