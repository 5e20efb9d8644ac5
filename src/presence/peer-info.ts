import type { LoopLoad } from '../base/loop-load.ts';

/** What a peer tells of itself and of the work that it has. */

/** What a peer says about itself, when it is asked. */
export interface PeerInfo {
  id: string;
  name: string;
  group: string;
  hub: boolean;
  pid: number;
  /** Its host's name for itself. */
  host: string;
  /** The user it runs as, by name. */
  user: string;
  versions: {
    'app-net': string;
    node: string;
    /** Versions of the protocol it speaks. */
    protocol: number[];
  };
  /** Since it was made, in ms. */
  uptime: number;
  /** What its host takes for the time, in ms since 1970. */
  time: number;
  /** Tags of the functions it has connected. */
  functions: string[];
  /** How many other peers it is connected to. */
  peers: number;
  counters: {
    /** Calls it has made. */
    caller: CallerCounters;
    /** Calls of others that it has run. */
    dispatcher: DispatcherCounters;
    /** Events of its own, and of others. */
    events: EventsCounters;
  };
  loop: LoopLoad;
  /** What its process takes of its host's memory, in bytes. */
  memory: number;
}

export interface CallerCounters {
  /** Calls that were sent and not yet answered. */
  pending: number;
  /** Calls that wait here until their peer has room. */
  waiting: number;
  /** Calls that were settled, in whatever way. */
  settled: number;
}

export interface DispatcherCounters {
  /** Functions that others can call. */
  readonly registered: number;
  /** Calls that are taken and not begun: the process was busy, or does not get rid of its answers. */
  held: number;
  /** Calls whose function has not settled yet. */
  running: number;
  /** Calls that were run to their end or refused. */
  settled: number;
}

export interface TopicsCounters {
  /** Events this peer has emitted. */
  emitted: number;
  /** Event frames that were sent: an event counts once for each subscriber. */
  sent: number;
  /** Event frames that wait for slow subscribers. */
  queued: number;
  /** Event frames that a subscriber was not sent: it was too slow, or they are larger than it takes. */
  dropped: number;
  /** Subscribers that were disconnected because they were too slow. */
  disconnected: number;
}

export interface InterestsCounters {
  /** Subscriptions of this peer at others: one for each name and peer. */
  subscriptions: number;
  /** Event frames that came, and that were wanted. */
  received: number;
  /** Times that events were missed. */
  gaps: number;
}

export type EventsCounters = TopicsCounters & InterestsCounters;
