import { CHANNELS } from '../base/diagnostics.ts';
import type { Evidence, LeaveReason } from '../connection/link/evidence.ts';
import type { PeerRecord } from '../connection/link/link.ts';
import { Comings } from './comings.ts';
import type { Log } from '../base/log.ts';
import type { Settings } from './options/options.ts';
import type { DiscoveryEmitted } from '../presence/messages.ts';
import type { PeerSet } from '../presence/set/peer-set.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';

/**
 * A peer that joined, on the channel `app-net:peer:join`.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 *
 * subscribe('app-net:peer:join', (message) => console.log((message as JoinMessage).peer.name));
 */
export interface JoinMessage {
  /** Id of the peer of this process. */
  readonly local: string;
  /** The peer that joined. */
  readonly peer: RemotePeer;
}

/**
 * A peer that left, on the channel `app-net:peer:leave`.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 *
 * subscribe('app-net:peer:leave', (message) => {
 *   const { peer, why, evidence } = message as LeaveMessage;
 *   console.log(peer.name, why, `${evidence}`);
 * });
 */
export interface LeaveMessage extends JoinMessage {
  /** Why it left. */
  readonly why: LeaveReason;
  /** What is known about its leave. */
  readonly evidence: Evidence;
}

interface Emitter {
  on(type: '*', listener: (event: DiscoveryEmitted) => void): unknown;
}

/**
 * Keeps the set of peers as the discovery actor reports it.
 * @param system the actors of the local peer
 * @param remotePeer the user's handle of a record
 * @param settings those of the local peer
 * @returns the counts, which go on
 */
export function followDiscovery(
  system: { get(name: string): unknown },
  set: PeerSet,
  remotePeer: (record: PeerRecord) => RemotePeer,
  { id: local, log }: Pick<Settings, 'id' | 'log'>,
): Comings {
  const discovery = system.get('discovery') as Emitter;
  const comings = new Comings();
  discovery.on('*', (event) => {
    if (event.type === 'search.settled' || event.type === 'secrets.differ') {
      if (event.type === 'search.settled') set.searched = true;
      else set.otherSecrets = event.others;
      tellOfOtherSecrets(set, log);
      return;
    }
    const { record } = event;
    const peer = remotePeer(record);
    if (event.type === 'peer.joined') comings.joins += 1;
    if (event.type === 'peer.left') comings.leaves[event.why] += 1;
    if (event.type === 'peer.joined' && CHANNELS.peerJoin.hasSubscribers) {
      const message: JoinMessage = { local, peer };
      CHANNELS.peerJoin.publish(message);
    }
    if (event.type === 'peer.left' && CHANNELS.peerLeave.hasSubscribers) {
      const message: LeaveMessage = { local, peer, why: event.why, evidence: record.evidence! };
      CHANNELS.peerLeave.publish(message);
    }
    if (event.type === 'peer.joined') set.apply({ type: 'join', peer });
    else if (event.type === 'peer.left')
      set.apply({ type: 'leave', peer, why: event.why, evidence: record.evidence! });
    else set.apply({ type: 'functions', peer });
  });
  return comings;
}

/** A peer that finds nobody, and an address that the user has given, are signs of a mistake. Other worlds on the network are none. */
function tellOfOtherSecrets({ otherSecrets, searched, size }: PeerSet, log: Log): void {
  if (otherSecrets && (otherSecrets.isSeed || (searched && size === 0))) log.otherSecret(otherSecrets);
}
