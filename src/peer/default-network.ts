import type { Network } from '../providers/network.ts';
import type { Settings } from './options.ts';

/** The network that the environment asks for, loaded when a peer starts: a program that only imports the library needs none. */
export function defaultNetwork(settings: Settings): Network {
  const { nats } = settings;
  return {
    attach: async (user) => {
      if (nats) {
        const { natsNetwork } = await import('../providers/nats/nats-network.ts');
        return natsNetwork(nats()).attach(user);
      }
      const { hostNetwork } = await import('../providers/host/host-network.ts');
      return hostNetwork(settings).attach(user);
    },
  };
}
