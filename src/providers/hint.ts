import { addressText } from '../transport/address.ts';
import type { Address } from '../transport/address.ts';

/** An address with the tag that its owner gave it. Every tag within this process has been checked. */
export interface HintedAddress extends Address {
  tag?: string;
}

/** A copy with only the known fields, without anything that somebody may have added. */
export function hintedAddress({ host, port, tag }: HintedAddress): HintedAddress {
  return tag === undefined ? { host, port } : { host, port, tag };
}

/** Where a peer may be found. It is only a hint: the peer that answers there still has to prove its identity. */
export interface Hint {
  /** Empty if only an address is known: the peer that answers there is the one. */
  id: string;
  /** Empty in the same case, and if the peer is only named. */
  incarnation: string;
  /**
   * The addresses at which it may be reached; none if it is only named. All are tried, loopback first. A hint cannot say how: loopback is
   * always dialled in the clear and everything else with TLS, so no hint can switch the encryption off.
   */
  addresses: readonly HintedAddress[];
  /** The addresses for peers of other hosts. They are never dialled from here, only passed on to peers that ask whom we know. */
  beyond?: readonly HintedAddress[];
  /** Process id, if the peer is on this host. */
  pid?: number;
  /** Anybody may have sent this hint, so it may be a lie. It is dialled last, and rarely. */
  isAnybodys?: boolean;
}

/** A hint at the peer that listens at an address, whichever it is. */
export function hintAt(address: Address): Hint {
  return { id: '', incarnation: '', addresses: [address] };
}

/** A hint that only names a peer: it is announced, and the provider knows where. */
export function hintOfName(id: string): Hint {
  return { id, incarnation: '', addresses: [] };
}

export function isOfName({ addresses }: Hint): boolean {
  return addresses.length === 0;
}

/** The key of a hint: the id of the peer or, if only an address is known, `host:port`. */
export function keyOf({ id, addresses }: Hint): string {
  return id || addressText(addresses[0]!);
}
