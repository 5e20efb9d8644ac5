import type { Link } from './link/link.ts';

/**
 * Decides which of two links of one pair stays. Both sides decide by the same facts. The link with the higher generation stays,
 * because its dialler has given up the other. If both are equal, a direct link stays, and one through a broker goes. If both are
 * of one kind, the link stays that the peer with the lower id opened. If one side opened both, the newer one stays.
 */
export function keepOne(ownId: string, otherId: string, current: Link, link: Link): Link {
  // The current link is silent. The new dial of the other side is a sign that it has lost that link.
  if (current.suspect) return link;
  if (current.generation !== link.generation) return current.generation > link.generation ? current : link;
  if (current.socket.isRelayed !== link.socket.isRelayed) return current.socket.isRelayed ? link : current;
  if (current.dialled === link.dialled) return link;
  return link.dialled === ownId < otherId ? link : current;
}
