import type { Scope } from '../transport/scope.ts';
import type { Party } from '../wire/handshake.ts';
import type { Call } from './call.ts';
import type { Link } from './link.ts';

/** Why a peer is no longer there: it said so, the connection broke, or a newer life of it took its place. */
export type LeaveReason = 'stopped' | 'lost' | 'replaced';

/**
 * One life of one other peer: made when its first connection opens, dropped when it leaves, never used for the
 * next life. Connection, discovery and caller share it; the comments say who writes what.
 */
export interface PeerRecord {
  readonly id: string;
  readonly incarnation: string;
  readonly name: string;
  readonly group: string;
  readonly hub: boolean;
  readonly pid: number;
  readonly host: string;
  readonly scope: Scope;
  /** Tags. Written by the connection. */
  readonly functions: Set<string>;
  /** Where calls to it go. Written by the connection; undefined once the peer has left. */
  link: Link | undefined;
  /** Written by the connection, once. */
  left: LeaveReason | undefined;
  /** Calls that wait until the peer has room, oldest first. The caller's. */
  readonly waiting: Call[];
}

export function createRecord(party: Party, scope: Scope): PeerRecord {
  return {
    id: party.id,
    incarnation: party.incarnation,
    name: party.name,
    group: party.group,
    hub: party.hub,
    pid: party.pid,
    host: party.host,
    scope,
    functions: new Set(party.functions),
    link: undefined,
    left: undefined,
    waiting: [],
  };
}
