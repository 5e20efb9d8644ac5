import { ipAddresses, isLoopback } from '../../transport/address.ts';
import { isAddressList, isFields, isPeerId, MOST_ADDRESSES } from '../../wire/shapes.ts';
import { isPlace, ownPlace } from './place.ts';
import type { Place } from './place.ts';
import { hintedAddress } from '../hint.ts';
import type { Announcement } from '../provider.ts';
import type { Hint } from '../hint.ts';
import { ITSELF, readSmallFile, readSmallFileSync } from './small-file.ts';

/** The file in which a peer announces itself to the other users of its runtime directory. */

/** The end of its name, after the id. */
export const SUFFIX = '.peer.json';

/** Bytes; a real file has about 400. */
const LARGEST_FILE = 4_096;

/** The announcement of another peer. */
export interface FoundAnnouncement extends Hint {
  /** A client in another language may leave its world out. */
  world?: string;
  /** Where it runs. If it is absent, nothing on this host can prove that the peer is dead. */
  from?: Place;
}

/** Lists loopback addresses if the peer listens there, and else all others: most readers are on the same host. */
export function announcementText({ id, incarnation, addresses, pid, world }: Announcement): string {
  const near = addresses.filter(({ host }) => isLoopback(host));
  // Limit the number: a host with many containers has an address in each of their networks.
  const far = addresses.filter(({ host }) => !isLoopback(host)).slice(0, MOST_ADDRESSES);
  const where =
    near.length > 0 ? { addresses: near, ...(far.length > 0 && { beyond: far }) } : { addresses: far };
  return JSON.stringify({ id, incarnation, ...where, pid, world: world(), from: ownPlace() });
}

/** Undefined for a file that is not an announcement. */
export async function readAnnouncement(path: string): Promise<FoundAnnouncement | undefined> {
  try {
    const { bytes } = await readSmallFile(path, LARGEST_FILE, ITSELF);
    return parse(bytes);
  } catch {
    return undefined;
  }
}

/** The same, synchronously. */
export function readAnnouncementSync(path: string): FoundAnnouncement | undefined {
  try {
    return parse(readSmallFileSync(path, LARGEST_FILE, ITSELF).bytes);
  } catch {
    return undefined;
  }
}

/** @throws SyntaxError */
function parse(bytes: Buffer): FoundAnnouncement | undefined {
  const value: unknown = JSON.parse(bytes.toString());
  if (!isAnnouncement(value)) return undefined;
  const { id, incarnation, pid, world, from } = value;
  const addresses = ipAddresses(value.addresses.map(hintedAddress));
  if (addresses.length === 0) return undefined;
  const beyond = value.beyond && ipAddresses(value.beyond.map(hintedAddress));
  return {
    ...{ id, incarnation, addresses },
    ...(beyond && beyond.length > 0 && { beyond }),
    ...(pid !== undefined && { pid }),
    ...(world !== undefined && { world }),
    ...(from && { from }),
  };
}

function isAnnouncement(value: unknown): value is FoundAnnouncement {
  if (!isFields(value)) return false;
  const { id, incarnation, addresses, beyond = [], pid, world, from } = value;
  return (
    isPeerId(id) &&
    isPeerId(incarnation) &&
    isAddressList(addresses) &&
    isAddressList(beyond) &&
    Number.isSafeInteger(pid) &&
    (world === undefined || typeof world === 'string') &&
    (from === undefined || isPlace(from))
  );
}
