import type { OtherSecrets } from './other-secrets.ts';
import type { LeaveReason } from '../connection/link/evidence.ts';
import type { PeerRecord } from '../connection/link/link.ts';
import type { ToDiscovery } from '../connection/messages.ts';
import type { Attachment } from '../providers/network.ts';
import type { Announcement, DroppedHints } from '../providers/provider.ts';
import type { Hint } from '../providers/hint.ts';
import type { Address } from '../transport/address.ts';
import type { Listener } from '../transport/transport.ts';
import type { SecretKeys } from '../wire/handshake/secret.ts';

/**
 * The messages of discovery: those that it takes, those that it sends to the actor of the peer, and those that it emits for
 * users.
 */

/** The parts of a peer that exist once it listens. */
export interface Opened {
  attachment: Attachment & {
    /** Whether this peer may dial an address that another one tells it. */
    reachable: (address: Address) => boolean;
  };
  keys: SecretKeys;
  listener: Listener;
}

export type DiscoveryMessage =
  | ToDiscovery
  /** This peer listens: announce it, and begin to search. */
  | { type: 'discovery.start'; self: Announcement; opened: Opened }
  | { type: 'discovery.stop' }
  /** The set of this peer's functions has changed. */
  | { type: 'functions.changed' }
  /** Everybody is to be told of it now. */
  | { type: 'functions.due' }
  /** Somebody needs a link to a present peer: a call or a subscription. */
  | { type: 'link.wanted'; record: PeerRecord }
  /** The core of presence has something to do. */
  | { type: 'presence.due' }
  /** It is time to look for links to change or end. */
  | { type: 'links.due' }
  | { type: 'provider.found'; provider: string; hints: readonly Hint[] }
  | { type: 'provider.lost'; provider: string; key: string; incarnation: string }
  | { type: 'provider.announced'; provider: string }
  | { type: 'provider.scanned'; provider: string }
  | { type: 'provider.failed'; provider: string; error: unknown }
  /** Hints with a wrong tag were dropped. */
  | { type: 'provider.dropped'; provider: string; hints: DroppedHints }
  /** The provider does not fully work at present, or works again. */
  | { type: 'provider.degraded'; provider: string; reason: Error | undefined }
  | { type: 'provider.stopped'; provider: string }
  /** It is time to dial this candidate, or to dial it again. */
  | { type: 'candidate.due'; id: string }
  /** It is time to look at the waiting candidates again. */
  | { type: 'turns.due' }
  /** The hints at peers of this host have waited long enough for the end of the first scan. */
  | { type: 'early.due' }
  /** There was no new candidate for a while. */
  | { type: 'search.quiet' }
  | { type: 'search.overdue' };

/** To the actor of the peer, which owns the connections. */
export type FromDiscovery =
  /** Discovery wants a connection. `generation`: how often a connection to this peer was lost. */
  | { type: 'peer.dial'; id: string; addresses: readonly Address[]; generation: number }
  /** All providers have stopped and withdrawn their announcements. */
  | { type: 'discovery.stopped' };

/** The messages that discovery emits for users: `peer.actor.system.get('discovery').on('peer.joined', …)`. */
export type DiscoveryEmitted =
  | { type: 'peer.joined'; record: PeerRecord }
  | { type: 'peer.left'; record: PeerRecord; why: LeaveReason }
  | { type: 'peer.changed'; record: PeerRecord; added: string[]; removed: string[] }
  | { type: 'search.settled' }
  /** There is a peer, or somebody that pretends to be one, with another secret. */
  | { type: 'secrets.differ'; others: OtherSecrets };
