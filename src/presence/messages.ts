import type { LeaveReason } from '../connection/evidence.ts';
import type { PeerRecord } from '../connection/link.ts';
import type { ToDiscovery } from '../connection/messages.ts';
import type { Attachment } from '../providers/network.ts';
import type { Announcement, DroppedHints } from '../providers/provider.ts';
import type { Hint } from '../providers/hint.ts';
import type { Address } from '../transport/address.ts';
import type { Listener } from '../transport/transport.ts';
import type { SecretKeys } from '../wire/secret.ts';

/** The messages of discovery: those that it takes, sends to the peer's actor, and emits for users. */

/** What a peer has once it listens. */
export interface Opened {
  attachment: Attachment;
  keys: SecretKeys;
  listener: Listener;
}

export type DiscoveryMessage =
  | ToDiscovery
  /** This peer listens: announce it and begin to look. */
  | { type: 'discovery.start'; self: Announcement; opened: Opened }
  | { type: 'discovery.stop' }
  | { type: 'provider.found'; provider: string; hint: Hint }
  | { type: 'provider.lost'; provider: string; key: string; incarnation: string }
  | { type: 'provider.announced'; provider: string }
  | { type: 'provider.scanned'; provider: string }
  | { type: 'provider.failed'; provider: string; error: unknown }
  /** Hints with a wrong tag were dropped. */
  | { type: 'provider.dropped'; provider: string; hints: DroppedHints }
  /** It cannot do all its work at present, or it can again. */
  | { type: 'provider.degraded'; provider: string; reason: Error | undefined }
  | { type: 'provider.stopped'; provider: string }
  /** It is time to dial this candidate, or to dial it again. */
  | { type: 'candidate.due'; id: string }
  /** More candidates that wait may be dialled. */
  | { type: 'turns.due' }
  /** No new candidate for a while. */
  | { type: 'search.quiet' }
  | { type: 'search.overdue' };

/** To the actor of the peer, which owns the connections. */
export type FromDiscovery =
  /** Discovery wants a connection. `generation`: how often one to this peer was lost. */
  | { type: 'peer.dial'; id: string; addresses: readonly Address[]; generation: number }
  /** Discovery has taken back what it announced. */
  | { type: 'discovery.stopped' };

/** What discovery emits for users: `peer.actor.system.get('discovery').on('peer.joined', …)`. */
export type DiscoveryEmitted =
  | { type: 'peer.joined'; record: PeerRecord }
  | { type: 'peer.left'; record: PeerRecord; why: LeaveReason }
  | { type: 'peer.changed'; record: PeerRecord; added: string[]; removed: string[] }
  | { type: 'search.settled' };
