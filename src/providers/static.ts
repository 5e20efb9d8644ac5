import { addressText } from '../transport/address.ts';
import type { Address } from '../transport/address.ts';
import { hintAt, keyOf } from './hint.ts';
import type { Provider, ProviderListener } from './provider.ts';
import type { Hint } from './hint.ts';

/** A problem is reported after this many failed dials in a row, because peers that start together with us need a moment. */
const PATIENCE = 5;

/** Offers the addresses that the user gave. They are never withdrawn: a peer may start at one of them at any time. */
export class StaticProvider implements Provider {
  readonly name = 'static';
  readonly #addresses: readonly Address[];
  /** Failed dials in a row, by `host:port`. */
  readonly #failures = new Map<string, number>();
  /** The problem, by `host:port`. */
  readonly #wrong = new Map<string, string>();
  #listener: ProviderListener | undefined;

  constructor(addresses: readonly Address[]) {
    this.#addresses = addresses;
  }

  start(_: unknown, listener: ProviderListener): Promise<void> {
    this.#listener = listener;
    for (const address of this.#addresses) listener.found(hintAt(address));
    listener.scanned();
    return Promise.resolve();
  }

  failed(hint: Hint, refused: boolean): void {
    const key = keyOf(hint);
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    if (failures < PATIENCE) return;
    this.#wrong.set(key, refused ? 'nobody listens there' : 'it cannot be reached, or has another secret');
    this.#tell();
  }

  answered(hint: Hint): void {
    const key = keyOf(hint);
    this.#failures.delete(key);
    if (this.#wrong.delete(key)) this.#tell();
  }

  stop(): Promise<void> {
    this.stopNow();
    return Promise.resolve();
  }

  stopNow(): void {
    this.#listener = undefined;
  }

  #tell(): void {
    // In the order in which the user gave them.
    const wrong = this.#addresses.flatMap((address) => {
      const what = this.#wrong.get(addressText(address));
      return what === undefined ? [] : `${addressText(address)}: ${what}`;
    });
    this.#listener?.degraded(wrong.length > 0 ? new Error(wrong.join('; ')) : undefined);
  }
}
