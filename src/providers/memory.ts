import type { Provider, ProviderListener } from './provider.ts';
import type { Hint } from './hint.ts';

/** The announcements of the peers of one in-memory network. */
export class MemoryBoard {
  readonly #announced = new Map<string, Hint>();
  readonly #listeners = new Map<string, ProviderListener>();

  provider(): Provider {
    let own: Hint | undefined;
    let ears: ProviderListener | undefined;
    const leave = (): void => {
      if (!own) return;
      // The next life of the peer may already use the same id.
      if (this.#listeners.get(own.id) === ears) this.#listeners.delete(own.id);
      if (this.#announced.get(own.id) !== own) return;
      this.#announced.delete(own.id);
      for (const listener of this.#listeners.values()) listener.lost(own.id, own.incarnation);
    };
    return {
      name: 'memory',
      start: (self, listener) => {
        own = self;
        ears = listener;
        const announced = self.addresses.length > 0;
        if (announced) for (const other of this.#listeners.values()) other.found(self);
        for (const hint of this.#announced.values()) listener.found(hint);
        if (announced) this.#announced.set(self.id, self);
        this.#listeners.set(self.id, listener);
        listener.scanned();
        return Promise.resolve();
      },
      announced: (id) => Promise.resolve(this.#announced.get(id)),
      failed: (hint, refused) => {
        // A peer that was killed has left this announcement behind.
        if (!refused || this.#announced.get(hint.id)?.incarnation !== hint.incarnation) return;
        this.#announced.delete(hint.id);
        for (const listener of this.#listeners.values()) listener.lost(hint.id, hint.incarnation);
      },
      stop: () => {
        leave();
        return Promise.resolve();
      },
      stopNow: leave,
    };
  }

  /** The peer no longer sends or receives anything. Its announcement stays. */
  kill(id: string): void {
    this.#listeners.delete(id);
  }
}
