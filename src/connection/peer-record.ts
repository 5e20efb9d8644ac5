import type { Scope } from '../transport/scope.ts';
import type { Party } from '../wire/handshake.ts';
import { CallQueue } from '../calls/caller/call-queue.ts';
import type { Evidence, Findings } from './evidence.ts';
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
  /** Of all tags together. */
  tagCharacters: number;
  /** Where calls to it go. Written by the connection; undefined once the peer has left. */
  link: Link | undefined;
  /** How often a connection to it was lost or given up. Written by the connection. */
  generation: number;
  /** Why it is suspect. Written by the connection; undefined while there is no doubt. */
  doubt: Findings | undefined;
  /** Written by the connection, once. */
  left: LeaveReason | undefined;
  /** Why it was held for gone. Written by the connection when the peer leaves. */
  evidence: Evidence | undefined;
  /** Calls that wait until the peer has room, oldest first. The caller's. */
  readonly waiting: CallQueue;
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
    tagCharacters: party.functions.reduce((sum, tag) => sum + tag.length, 0),
    link: undefined,
    generation: 0,
    doubt: undefined,
    left: undefined,
    evidence: undefined,
    waiting: new CallQueue(),
  };
}
