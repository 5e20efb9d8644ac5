import type { Announcement } from '../provider.ts';
import type { FoundAnnouncement } from './announcement-file.ts';

/** Whether an announcement is of a peer with the same secret, and true. */

/** A peer with another secret and this peer would dial each other in vain, again and again. */
export function isOfWorld({ world }: FoundAnnouncement, self: Announcement): boolean {
  return world === undefined || world === self.world();
}

/**
 * An announcement without tags is accepted: only this user can write here, and it may come from a client in another language.
 */
export function isForged(announced: FoundAnnouncement, { tags }: Announcement): boolean {
  const { addresses, beyond = [] } = announced;
  const tagged = [...addresses, ...beyond].filter(({ tag }) => tag !== undefined);
  return tags !== undefined && !tagged.every((address) => tags.isRight(announced, address));
}
