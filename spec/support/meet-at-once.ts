import type { Attachment, Network, NetworkUser } from '../../src/providers/network.ts';
import type { Provider } from '../../src/providers/provider.ts';

/** Tells nobody of anybody until the test says so: then both sides dial at the same instant. */
export class MeetAtOnce implements Network {
  readonly #network: Network;
  readonly #waiting: (() => void)[] = [];
  readonly #told: (() => void)[] = [];

  constructor(network: Network) {
    this.#network = network;
  }

  /** How many hints are held back. */
  get waiting(): number {
    return this.#waiting.length;
  }

  async attach(user: NetworkUser): Promise<Attachment> {
    const attachment = await this.#network.attach(user);
    return { ...attachment, providers: attachment.providers.map((provider) => this.#holdBack(provider)) };
  }

  release(): void {
    const now = this.#waiting.splice(0);
    this.#told.push(...now);
    for (const tell of now) tell();
  }

  /** Everything that was told once more, as stale records do. */
  repeat(): void {
    for (const tell of this.#told) tell();
  }

  #holdBack(provider: Provider): Provider {
    return {
      name: provider.name,
      start: (self, listener) =>
        provider.start(self, {
          found: (hint) => {
            // As if each had the lower id: both dial as soon as they are told.
            this.#waiting.push(() => listener.found({ ...hint, pid: 2 ** 22 }));
          },
          lost: (id, incarnation) => listener.lost(id, incarnation),
          announced: () => listener.announced?.(),
          scanned: () => listener.scanned(),
          degraded: (reason) => listener.degraded(reason),
        }),
      failed: (hint, refused) => provider.failed(hint, refused),
      stop: () => provider.stop(),
      stopNow: () => provider.stopNow(),
    };
  }
}
