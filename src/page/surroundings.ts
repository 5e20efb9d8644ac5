/** What a page is told of its surroundings. */
export interface Told {
  /** The network is back, or the page is shown again. */
  back(): void;
  /** The page goes away, or into the cache of its browser. */
  hidden(): void;
}

interface Target {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/** The events of browsers that matter to a connection. Elsewhere there are none. */
export class Surroundings {
  /** Whether the page is in the cache of its browser, or on its way there. */
  isHidden = false;
  readonly #listeners: [target: Target | undefined, type: string, listener: () => void][];

  constructor(told: Told) {
    const { document } = globalThis as { document?: Target & { visibilityState: string } };
    const window = globalThis as Target;
    this.#listeners = [
      [window, 'online', () => told.back()],
      [document, 'visibilitychange', () => document!.visibilityState === 'visible' && told.back()],
      [
        window,
        'pagehide',
        () => {
          this.isHidden = true;
          told.hidden();
        },
      ],
      [
        window,
        'pageshow',
        () => {
          this.isHidden = false;
          told.back();
        },
      ],
    ];
    for (const [target, type, listener] of this.#listeners) target?.addEventListener?.(type, listener);
  }

  leave(): void {
    for (const [target, type, listener] of this.#listeners) target?.removeEventListener?.(type, listener);
  }
}
