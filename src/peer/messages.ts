import type { AnyActorRef } from 'xstate';

import type { Session } from '../connection/session.ts';
import type { FromDiscovery, Opened } from '../presence/messages.ts';

/** The messages that the actor of a peer takes. */

export type PeerMessage =
  | FromDiscovery
  | { type: 'peer.stop' }
  | { type: 'peer.opened'; opened: Opened }
  | { type: 'peer.failed'; error: unknown }
  /** The set of functions changed. */
  | { type: 'functions.changed'; added: string[]; removed: string[] }
  /** Somebody connected to us and proved who they are. */
  | { type: 'session.arrived'; session: Session }
  /** Nothing runs any more on a link of this connection. */
  | { type: 'connection.idle' }
  /** The connection actor is at its end. */
  | { type: 'connection.ended'; id: string; connection: AnyActorRef }
  /** A message made it throw. */
  | { type: 'peer.broke'; error: unknown };
