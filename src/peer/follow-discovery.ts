import type { PeerRecord } from '../connection/link.ts';
import type { DiscoveryEmitted } from '../presence/messages.ts';
import type { PeerSet } from '../presence/peer-set.ts';
import type { RemotePeer } from '../presence/remote-peer.ts';

/** Keeps the set of peers as the discovery actor reports it. @param remotePeer the user's handle of a record */
export function followDiscovery(
  discovery: { on(type: '*', listener: (event: DiscoveryEmitted) => void): unknown },
  set: PeerSet,
  remotePeer: (record: PeerRecord) => RemotePeer,
): void {
  discovery.on('*', (event) => {
    if (event.type === 'search.settled') {
      set.searched = true;
      return;
    }
    const { record } = event;
    const peer = remotePeer(record);
    if (event.type === 'peer.joined') set.apply({ type: 'join', peer });
    else if (event.type === 'peer.left')
      set.apply({ type: 'leave', peer, why: event.why, evidence: record.evidence! });
    else set.apply({ type: 'functions', peer });
  });
}
