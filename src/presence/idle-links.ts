import type { Link } from '../connection/link/link.ts';
import type { PeerRecord } from '../connection/link/link.ts';
import type { DiscoveryContext } from './discovery-context.ts';

/** Links that nobody uses: to peers that are no neighbours, without a call, a stream or a subscription for a minute. */

/** Time between two looks, in ms. */
export const LOOK = 20_000;

/** A link on which nothing has happened between so many looks ends. */
const LOOKS = 3;

/** Links to end now. Only the side that dialled asks, so that the two sides do not ask at once. */
export function unusedLinks(context: DiscoveryContext): Link[] {
  const { carrier, unused } = context;
  const links: Link[] = [];
  for (const record of carrier!.records()) {
    const { link } = record;
    if (!link?.dialled || link.isBusy || isNeeded(context, record)) {
      unused.delete(record);
      continue;
    }
    const [made, taken] = [link.made?.last ?? 0, link.taken?.last ?? 0];
    const seen = unused.get(record);
    if (!seen || seen.made !== made || seen.taken !== taken) {
      unused.set(record, { looks: 0, made, taken });
    } else {
      seen.looks += 1;
      if (seen.looks < LOOKS) continue;
      unused.delete(record);
      links.push(link);
    }
  }
  return links;
}

/** Whether a link to the peer is to be kept although no call is under way. */
export function isNeeded({ carrier }: DiscoveryContext, { id, interests, waiting }: PeerRecord): boolean {
  return interests > 0 || (waiting?.size ?? 0) > 0 || !carrier!.core.isDispensable(id);
}
