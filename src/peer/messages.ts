import type { AnyActorRef } from 'xstate';

import type { Session } from '../connection/link/session.ts';
import type { FromDiscovery, Opened } from '../presence/messages.ts';

/** The messages that the actor of a peer receives. */

export type PeerMessage =
  | FromDiscovery
  /** `drainTime`: how long calls that run may take, in ms. */
  | { type: 'peer.stop'; drainTime?: number }
  | { type: 'peer.opened'; opened: Opened }
  | { type: 'peer.failed'; error: unknown }
  /** The set of functions changed. */
  | { type: 'functions.changed'; added: string[]; removed: string[] }
  /** Another peer connected to us and proved its identity. */
  | { type: 'session.arrived'; session: Session }
  /** Nothing runs any more on a link of this connection. */
  | { type: 'connection.idle' }
  /** The connection actor has ended. */
  | { type: 'connection.ended'; id: string; connection: AnyActorRef }
  /** A message made the peer's actor throw. */
  | { type: 'peer.broke'; error: unknown };
