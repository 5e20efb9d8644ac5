import type { Link } from './link.ts';

/**
 * Which of two links of one pair stays. Both sides decide by the same facts: the one that was dialled after more
 * losses, since its dialler has given up the other; else the one that the peer with the lower id opened; and if one
 * side opened both, the newer one.
 */
export function keepOne(ownId: string, otherId: string, current: Link, link: Link): Link {
  // Nothing is heard on it. That the other side dials is a sign that it has lost it.
  if (current.suspect) return link;
  if (current.generation !== link.generation) return current.generation > link.generation ? current : link;
  if (current.dialled === link.dialled) return link;
  return link.dialled === ownId < otherId ? link : current;
}
