import type { Network } from '../../providers/network.ts';
import type { Settings } from './options.ts';

/** The network of a peer. Each is loaded when a peer starts: a program that only imports the library needs none. */
export function networkOf(settings: Settings): Network {
  const { network, networks } = settings;
  if (network) return network;
  if (!networks) return defaultNetwork(settings);
  return {
    attach: async (user) => {
      const { severalNetworks } = await import('../../providers/several-networks.ts');
      const given = networks.map((each) => (each === 'host' ? hostNetworkOf(settings) : each));
      return severalNetworks(given).attach(user);
    },
  };
}

/** The one that the environment asks for. */
function defaultNetwork(settings: Settings): Network {
  const { nats } = settings;
  if (!nats) return hostNetworkOf(settings);
  return {
    attach: async (user) => {
      const { natsNetwork } = await import('../../providers/nats/nats-network.ts');
      return natsNetwork(nats()).attach(user);
    },
  };
}

function hostNetworkOf(settings: Settings): Network {
  return {
    attach: async (user) => {
      const { hostNetwork } = await import('../../providers/host/host-network.ts');
      return hostNetwork(settings).attach(user);
    },
  };
}
