import type { Clock } from '../../base/time/clock.ts';
import type { HostProcess } from '../../base/process/host-process.ts';
import type { MeasuredCalls } from '../../calls/call-stats.ts';
import type { PeerRecord } from '../../connection/link/link.ts';
import type { Topics } from '../../events/topics.ts';
import type { PeerInfo } from '../../presence/set/peer-info.ts';
import type { WatchedAbout } from '../../presence/set/peer-watch.ts';
import type { PeerActor } from '../actor-types.ts';

/** What there is to see of the peer. */
export interface WatchInput {
  id: string;
  actor: PeerActor;
  clock: Clock;
  process: HostProcess;
  calls: MeasuredCalls;
  topics: Topics;
  describe: () => Pick<WatchedAbout, 'name' | 'group' | 'hub' | 'host' | 'pid' | 'functions'>;
  peers: () => number;
  counters: () => PeerInfo['counters'];
  /** Resolves with the time of a call there and back, in ms. */
  ping: (record: PeerRecord) => Promise<number>;
}
