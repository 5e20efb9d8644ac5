import type { Link } from './link.ts';

/** The links of one connection: which of them stays, and what they are called. */

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

/**
 * `socket:1`, or the next that is free. Names that go on and on would give the children of each connection a shape of
 * their own, and each shape costs the engine more than the child.
 */
export function freeName(links: ReadonlyMap<Link, string>): string {
  const taken = new Set(links.values());
  let number = 1;
  while (taken.has(`socket:${number}`)) number += 1;
  return `socket:${number}`;
}
