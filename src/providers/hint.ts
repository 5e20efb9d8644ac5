import { addressText } from '../transport/address.ts';
import type { Address } from '../transport/address.ts';

/** An address with the tag that its owner gave it. Within this process every tag has been checked. */
export interface HintedAddress extends Address {
  tag?: string;
}

/** Without whatever else somebody may have put there. */
export function hintedAddress({ host, port, tag }: HintedAddress): HintedAddress {
  return tag === undefined ? { host, port } : { host, port, tag };
}

/** Where a peer may be found. Only a hint: whoever answers there still has to prove who they are. */
export interface Hint {
  /** Empty when only an address is known: whoever answers there is the peer. */
  id: string;
  /** Empty likewise. */
  incarnation: string;
  /**
   * Where it may be reached, at least one. All are tried, loopback first. Nothing here says how: loopback is dialled
   * in the clear and everything else with TLS, whatever a hint says, so no hint can take the encryption away.
   */
  addresses: readonly HintedAddress[];
  /** Where peers of other hosts may reach it. Never dialled from here; only passed on to those who ask whom we know. */
  beyond?: readonly HintedAddress[];
  /** Process id, when the peer is on this host. */
  pid?: number;
  /** Anybody may have said this, so it may be a lie: it is dialled last, and rarely. */
  isAnybodys?: boolean;
}

/** A hint at whoever listens at an address. */
export function hintAt(address: Address): Hint {
  return { id: '', incarnation: '', addresses: [address] };
}

/** What a hint is known by: the id of the peer or, when only an address is known, `host:port`. */
export function keyOf({ id, addresses }: Hint): string {
  return id || addressText(addresses[0]!);
}
