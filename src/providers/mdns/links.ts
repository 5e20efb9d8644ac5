import { BlockList, isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

/** One network interface with one address family. Each has its own socket for multicast DNS. */
export interface Link {
  /** Changes if any of the fields below changes. */
  readonly key: string;
  /** For people: `eth0, IPv4`. */
  readonly label: string;
  readonly family: 'IPv4' | 'IPv6';
  /** Identifies the interface for the socket. */
  readonly local: string;
  /** Every address of the interface, of both families. */
  readonly addresses: readonly string[];
  /** Whether a packet from this source came over this interface, and not over another or from far away. */
  isFrom(source: string): boolean;
  /** How to dial an address that somebody on this link announces; undefined if the address is not on this link. */
  dialled(address: string): string | undefined;
}

type Interfaces = NodeJS.Dict<readonly NetworkInterfaceInfo[]>;

/** The links of this host, without `internal` ones: peers on the same host find each other without multicast. */
export function linksOf(interfaces: Interfaces): Link[] {
  return Object.entries(interfaces).flatMap(([name, infos = []]) => {
    const outer = infos.filter(({ internal, cidr }) => !internal && cidr);
    const families = new Set(outer.map(({ family }) => family));
    return [...families].map((family) => makeLink(name, family, outer));
  });
}

function makeLink(name: string, family: 'IPv4' | 'IPv6', infos: readonly NetworkInterfaceInfo[]): Link {
  const near = new BlockList();
  let zone = name;
  for (const { address, cidr, scopeid } of infos) {
    near.addSubnet(address, Number(cidr!.split('/')[1]), isIPv6(address) ? 'ipv6' : 'ipv4');
    // The zone after the % is the name of the interface, but on Windows its number.
    if (scopeid && process.platform === 'win32') zone = String(scopeid);
  }
  const isNear = (bare: string): boolean => near.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
  return {
    key: [name, family, ...infos.map(({ cidr }) => cidr)].join(' '),
    label: `${name}, ${family}`,
    family,
    local: family === 'IPv6' ? `::%${zone}` : infos.find((each) => each.family === 'IPv4')!.address,
    addresses: infos.map(({ address }) => address),
    isFrom: (source) => {
      const [bare = '', from = zone] = source.split('%');
      return from === zone && (LINK_LOCAL.test(bare) || isNear(bare));
    },
    dialled: (address) => {
      if (LINK_LOCAL.test(address)) return `${address}%${zone}`;
      return isNear(address) ? address : undefined;
    },
  };
}

/** `fe80::/10`: the same network on every link, so that an address has no meaning without its interface. */
const LINK_LOCAL = /^fe[89ab][\da-f]:/i;
