import type { Socket } from '../../transport/transport.ts';
import type { Party } from '../../wire/handshake/handshake.ts';
import type { Rights } from '../../wire/handshake/pass.ts';

/** A connection on which both sides have proved themselves. */
export interface Session {
  socket: Socket;
  party: Party;
  /** The tags that this side sent in the handshake. */
  told: readonly string[];
  /** The version of its own presence that this side sent. */
  toldVersion: number;
  /** Whether this side opened the connection. */
  dialled: boolean;
  /** How often the side that opened it had lost a connection to the other side before. */
  generation: number;
  /** The rights of the other side, if it has a pass. */
  rights?: Rights | undefined;
}

/** As much of a session as a link needs. */
export type LinkSession = Pick<Session, 'socket' | 'dialled' | 'generation' | 'rights'> & {
  party: Pick<Party, 'limits' | 'newestVersion'>;
};
