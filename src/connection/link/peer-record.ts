import type { Scope } from '../../transport/scope.ts';
import type { Rights } from '../../wire/handshake/pass.ts';
import type { Party } from '../../wire/handshake/handshake.ts';
import type { PeerRecord } from './link.ts';

type Life = Pick<Party, 'id' | 'incarnation' | 'name' | 'group' | 'hub' | 'pid' | 'host'>;

/** @param rights of a peer that has a pass */
export function createRecord(
  party: Life,
  functions: readonly string[],
  scope: Scope,
  rights?: Rights,
): PeerRecord {
  return {
    id: party.id,
    incarnation: party.incarnation,
    name: party.name,
    group: party.group,
    hub: party.hub,
    guest: rights !== undefined,
    rights,
    pid: party.pid,
    host: party.host,
    scope,
    functions: new Set(functions),
    tagCharacters: functions.reduce((sum, tag) => sum + tag.length, 0),
    link: undefined,
    generation: 0,
    doubt: undefined,
    left: undefined,
    evidence: undefined,
    waiting: undefined,
    interests: 0,
  };
}
