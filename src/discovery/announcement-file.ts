import { constants, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { isLoopback } from '../transport/address.ts';
import { isAddressList, isFields, isPeerId, MOST_ADDRESSES } from '../wire/guards.ts';
import type { Announcement, Hint } from './provider.ts';

/** The file in which a peer tells the others of its host where it is. */

/** Bytes; a real file has about 200. */
const LARGEST_FILE = 4_096;

/** Where something has the name of a file and is none, nobody waits for what it says. Not known to Windows. */
const AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What another peer wrote. A client in another language may leave out which world it is of. */
export type FoundAnnouncement = Hint & { world?: string };

/** To be dialled at loopback if the peer listens there, and else wherever it does: this is read on the same host only. */
export function announcementText({ id, incarnation, addresses, pid, world }: Announcement): string {
  const near = addresses.filter(({ host }) => isLoopback(host));
  // A host of many containers has an address in each of their networks.
  const far = addresses.filter(({ host }) => !isLoopback(host)).slice(0, MOST_ADDRESSES);
  const where =
    near.length > 0 ? { addresses: near, ...(far.length > 0 && { beyond: far }) } : { addresses: far };
  return JSON.stringify({ id, incarnation, ...where, pid, world: world() });
}

/** Undefined for anything that is no announcement. */
export async function readAnnouncement(path: string): Promise<FoundAnnouncement | undefined> {
  try {
    return parse(await readFile(path, { encoding: 'utf8', flag: AT_ONCE }));
  } catch {
    return undefined;
  }
}

/** For the last moment of a process. */
export function readAnnouncementSync(path: string): FoundAnnouncement | undefined {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @throws SyntaxError */
function parse(text: string): FoundAnnouncement | undefined {
  const value: unknown = text.length > LARGEST_FILE ? undefined : JSON.parse(text);
  return isAnnouncement(value) ? value : undefined;
}

function isAnnouncement(value: unknown): value is FoundAnnouncement {
  if (!isFields(value)) return false;
  const { id, incarnation, addresses, beyond = [], pid, world } = value;
  return (
    isPeerId(id) &&
    isPeerId(incarnation) &&
    isAddressList(addresses) &&
    addresses.length > 0 &&
    isAddressList(beyond) &&
    Number.isSafeInteger(pid) &&
    (world === undefined || typeof world === 'string')
  );
}
