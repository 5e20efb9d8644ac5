import { isLoopback } from '../../transport/address.ts';
import type { Address } from '../../transport/address.ts';
import type { FoundAnnouncement } from './announcement-file.ts';
import { ownPlace, shareNetwork, shareProcesses } from './place.ts';
import type { Hint } from '../hint.ts';

/**
 * Where a peer that is announced in the runtime directory can be reached from here; undefined if it cannot be reached.
 * @param reaches whether this peer may dial an address
 */
export function announcedHint(
  { id, incarnation, addresses, beyond = [], pid, from }: FoundAnnouncement,
  reaches: (address: Address) => boolean,
): Hint | undefined {
  const own = ownPlace();
  // The loopback of another network namespace is not ours. A peer there may be reached at its `beyond` addresses.
  const isElsewhere = from !== undefined && own !== undefined && !shareNetwork(from, own);
  const all = isElsewhere ? [...addresses, ...beyond].filter(({ host }) => !isLoopback(host)) : addresses;
  const usable = all.filter((address) => reaches(address));
  if (usable.length === 0) return undefined;
  return {
    ...{ id, incarnation, addresses: usable },
    ...(!isElsewhere && beyond.length > 0 && { beyond }),
    ...(pid !== undefined && (!from || shareProcesses(from, own)) && { pid }),
  };
}
