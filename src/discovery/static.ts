import type { Address } from '../transport/transport.ts';
import { hintAt } from './provider.ts';
import type { Provider, ProviderListener } from './provider.ts';

/** Addresses that the user has given. They are never taken back: a peer may come to one of them at any time. */
export class StaticProvider implements Provider {
  readonly name = 'static';
  readonly #addresses: readonly Address[];

  constructor(addresses: readonly Address[]) {
    this.#addresses = addresses;
  }

  start(_: unknown, listener: ProviderListener): Promise<void> {
    for (const address of this.#addresses) listener.found(hintAt(address));
    listener.scanned();
    return Promise.resolve();
  }

  failed(): void {}

  stop(): Promise<void> {
    return Promise.resolve();
  }

  stopNow(): void {}
}
