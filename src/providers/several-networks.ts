import type { Clock } from '../base/time/clock.ts';
import type { Address } from '../transport/address.ts';
import type { Listener, Transport } from '../transport/transport.ts';
import type { Hint } from './hint.ts';
import { keyOf } from './hint.ts';
import type { Attachment, Network } from './network.ts';
import type { Provider } from './provider.ts';

/**
 * How long hints of a network that is not direct are kept back, in ms. Two peers that can also dial each other find each other
 * sooner, and then have a direct connection.
 */
const KEPT_BACK = 300;

/** Several networks at once. A peer that is found on several of them is one peer, with the most direct connection. */
export function severalNetworks(networks: readonly Network[]): Network {
  return {
    attach: async (user) => {
      const attached: Attachment[] = [];
      const close = async (): Promise<void> => {
        await Promise.all(attached.map(async (each) => each.close?.()));
      };
      try {
        const hasAnother = networks.length > 1;
        for (const network of networks) attached.push(await network.attach({ ...user, hasAnother }));
        const [first, ...more] = attached.toSorted(directFirst);
        if (more.some(({ reaches }) => !reaches) || more.length > 1)
          throw new TypeError("networks: give 'host' or another direct network, and one natsNetwork");
        const all = [first!, ...more];
        return {
          transport: together(all),
          providers: all.flatMap((each) =>
            each.providers.map((provider) => within(provider, each, all, user.clock)),
          ),
          secret: () => first!.secret(),
          close,
        };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}

function directFirst(a: Attachment, b: Attachment): number {
  return Number(a.reaches !== undefined) - Number(b.reaches !== undefined);
}

/** The network that an address belongs to. */
function ownerOf(address: Address, all: readonly Attachment[]): Attachment {
  return all.find(({ reaches }) => reaches?.(address)) ?? all[0]!;
}

function together(all: readonly Attachment[]): Transport {
  return {
    listen: async (options, accept) => {
      const listeners = await Promise.all(all.map(({ transport }) => transport.listen(options, accept)));
      return {
        addresses: listeners.flatMap(({ addresses }) => addresses),
        ended: allEnded(listeners),
        close: async () => {
          await Promise.all(listeners.map((each) => each.close()));
        },
      };
    },
    dial: (address, options) => ownerOf(address, all).transport.dial(address, options),
  };
}

async function allEnded(listeners: readonly Listener[]): Promise<void> {
  for (const { ended } of listeners) await ended;
}

/** The provider, which announces only the addresses of its own network. Hints of a network that is not direct come later. */
function within(provider: Provider, own: Attachment, all: readonly Attachment[], clock: Clock): Provider {
  const isDirect = own.reaches === undefined;
  const keptBack = new Map<string, { hint: Hint; timer: unknown }>();
  const waiting = new Set<unknown>();
  const forget = (key: string): void => {
    clock.clearTimeout(keptBack.get(key)?.timer);
    keptBack.delete(key);
  };
  const rest = (): void => {
    for (const key of [...keptBack.keys()]) forget(key);
    for (const timer of waiting) clock.clearTimeout(timer);
  };
  return {
    name: provider.name,
    start: (self, listener) =>
      provider.start(
        { ...self, addresses: self.addresses.filter((address) => ownerOf(address, all) === own) },
        isDirect
          ? listener
          : {
              ...listener,
              found: (hint) => {
                const key = keyOf(hint);
                forget(key);
                const tell = (): void => {
                  keptBack.delete(key);
                  listener.found(hint);
                };
                keptBack.set(key, { hint, timer: clock.setTimeout(tell, KEPT_BACK) });
              },
              lost: (key, incarnation) => {
                if (keptBack.get(key)?.hint.incarnation === incarnation) forget(key);
                else listener.lost(key, incarnation);
              },
              scanned: () => {
                waiting.add(clock.setTimeout(() => listener.scanned(), KEPT_BACK));
              },
            },
      ),
    failed: (hint, refused) => {
      const addresses = hint.addresses.filter((address) => ownerOf(address, all) === own);
      if (addresses.length > 0) provider.failed({ ...hint, addresses }, refused);
    },
    answered: (hint) => provider.answered?.(hint),
    ...(provider.announced && { announced: (id: string) => provider.announced!(id) }),
    stop: () => {
      rest();
      return provider.stop();
    },
    stopNow: () => {
      rest();
      provider.stopNow();
    },
  };
}
