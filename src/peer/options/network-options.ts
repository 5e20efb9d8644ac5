import type { Network } from '../../providers/network.ts';

/** The options of a peer that concern its networks. */
interface NetworkOptions {
  network?: Network | undefined;
  networks?: readonly ('host' | Network)[] | undefined;
}

/** Which networks a peer is on. */
export interface Networks {
  network: Network | undefined;
  networks: readonly ('host' | Network)[] | undefined;
  /** The network is NATS, by the environment. A function, because a URL may hold a password. */
  nats: (() => { servers: string; credsFile: string | undefined }) | undefined;
}

/** @throws TypeError for networks that are none, or given twice */
export function resolveNetworks(
  { network, networks }: NetworkOptions,
  env: (name: string) => string | undefined,
): Networks {
  if (networks !== undefined) checkNetworks(networks);
  if (network !== undefined && networks !== undefined)
    throw new TypeError('network: networks is set, too; leave out one of the two');
  const servers = (network ?? networks) ? undefined : env('APP_NET_NATS');
  const credsFile = env('APP_NET_NATS_CREDS');
  return {
    ...{ network, networks },
    nats: servers === undefined ? undefined : () => ({ servers, credsFile }),
  };
}

function checkNetworks(networks: NonNullable<NetworkOptions['networks']>): void {
  const isNetwork = (each: unknown): boolean =>
    each === 'host' || typeof (each as Network | null)?.attach === 'function';
  const isList = Array.isArray(networks) && networks.length > 0 && networks.every((each) => isNetwork(each));
  if (!isList || new Set(networks).size < networks.length)
    throw new TypeError(
      "networks: give a list of networks, each once, such as ['host', natsNetwork({ servers })]",
    );
}
