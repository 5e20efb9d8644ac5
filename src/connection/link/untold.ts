import type { Rights } from '../../wire/handshake/pass.ts';

/** Changes of this peer's functions that one link was not told yet, by tag: true if the function was connected. */
export type Untold = Map<string, boolean>;

/** @param rights of the other side, which is told only of what it may call */
export function noteUntold(
  untold: Untold,
  added: Iterable<string>,
  removed: Iterable<string>,
  rights: Rights | undefined,
): void {
  for (const tag of added) if (!rights || rights.mayCall(tag)) untold.set(tag, true);
  for (const tag of removed) if (!rights || rights.mayCall(tag)) untold.set(tag, false);
}
