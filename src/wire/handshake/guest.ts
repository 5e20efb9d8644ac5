import type { Description, HelloMessage } from '../frames.ts';
import type { Rights } from './pass.ts';
import type { Presence } from '../presence-frames.ts';
import type { HandshakeKeys } from './secret.ts';

/** A guest is a peer that has a pass in place of the secret. This is what the two sides of a handshake with one tell. */

export interface Guest {
  /** Of its pass. */
  readonly keys: HandshakeKeys;
  readonly rights: Rights;
}

/**
 * Decides about a hello with a pass.
 * @param shown the public part
 * @throws HandshakeFailed for a pass that is not valid here and now
 */
export type AdmitGuest = (shown: string, hello: Pick<HelloMessage, 'id' | 'incarnation'>) => Guest;

/** What this peer says of itself to a guest: nothing that the guest has no right to, and nothing about its host. */
export function describedToGuest({ name, group, hub, functions }: Description, rights: Rights): Description {
  const callable = functions.filter((tag) => rights.mayCall(tag));
  return { name, group, hub, pid: 0, host: '', functions: callable };
}

/** What a guest counts as here. It is told of to nobody, and seen in the group of the peer to which it is linked. */
export function partyOfGuest(
  { pid, host, functions }: Description,
  rights: Rights,
  group: string,
): Description & Presence {
  const offered = functions.filter((tag) => rights.mayConnect(tag));
  const about = { name: rights.name, group, hub: false, pid, host, functions: offered };
  return { ...about, started: 0, version: 1, addresses: [], digest: '' };
}
