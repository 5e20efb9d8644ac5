import type { LoopLoad } from '../../base/time/loop-load.ts';

/** The report of a peer about itself and its work. */

/**
 * The report of a peer about itself.
 *
 * @example
 * const { versions, uptime, counters } = await peer.info();
 * console.log(versions['app-net'], uptime, counters.dispatcher.running);
 */
export interface PeerInfo {
  /** Its identity, which no other live peer has. */
  id: string;
  /** Its name for people. */
  name: string;
  /** The group it belongs to. */
  group: string;
  /** Whether it is labelled as a hub. */
  hub: boolean;
  /** Process id, on its own host. */
  pid: number;
  /** The name of its host. */
  host: string;
  /** The name of the user it runs as. */
  user: string;
  /** Versions of the software it runs. */
  versions: {
    /** The version of this library. */
    'app-net': string;
    /** The version of Node.js. */
    node: string;
    /** The versions of the protocol that it speaks. */
    protocol: number[];
  };
  /** How long ago the peer was made, in ms. */
  uptime: number;
  /** The time on its host, in ms since 1970. */
  time: number;
  /** Tags of the functions that it has connected. */
  functions: string[];
  /** How many other peers are present for it. */
  peers: number;
  /** How much work it has and had. */
  counters: {
    /** Calls that it makes. */
    caller: CallerCounters;
    /** Calls of other peers that it runs. */
    dispatcher: DispatcherCounters;
    /** Events that it emits and receives. */
    events: EventsCounters;
  };
  /** Its functions with the option `concurrency` or `threads`. */
  work: FunctionWork[];
  /** How busy its event loop is. */
  loop: LoopLoad;
  /** Resident memory of its process, in bytes. */
  memory: number;
}

/**
 * The present work of a function whose calls are limited, or run in threads.
 *
 * @example
 * const { work } = await peer.info();
 * for (const { tag, running, waiting } of work) console.log(tag, running, waiting);
 */
export interface FunctionWork {
  /** The tag of the function. */
  tag: string;
  /** Calls that run now. */
  running: number;
  /** Calls that wait. */
  waiting: number;
  /** Worker threads that were started for it and the functions that share them; 0 for a function without threads. */
  threads: number;
}

/**
 * Counts of the calls that a peer makes.
 *
 * @example
 * const { waiting }: CallerCounters = (await peer.info()).counters.caller;
 */
export interface CallerCounters {
  /** Calls that were sent and are not answered yet. */
  pending: number;
  /** Calls that wait in this process until the called peer has room. */
  waiting: number;
  /** Calls that have succeeded or failed. */
  settled: number;
}

/**
 * Counts of the calls that a peer runs for others.
 *
 * @example
 * const { running }: DispatcherCounters = (await peer.info()).counters.dispatcher;
 */
export interface DispatcherCounters {
  /** Functions that other peers can call. */
  readonly registered: number;
  /** Calls that are taken and not begun: the process was busy, or does not get rid of its answers. */
  held: number;
  /** Calls that wait until fewer calls of their function run (the option `concurrency` of `connect`). */
  waiting: number;
  /** Calls whose function has not settled yet. */
  running: number;
  /** Calls that have ended or were refused. */
  settled: number;
}

/**
 * Counts of the events that a peer emits.
 *
 * @example
 * const { dropped }: TopicsCounters = (await peer.info()).counters.events;
 */
export interface TopicsCounters {
  /** Events that this peer has emitted. */
  emitted: number;
  /** Events that were sent. An event counts once for each subscriber. */
  sent: number;
  /** Events that wait for slow subscribers. An event counts once for each subscriber. */
  queued: number;
  /** Events that were not sent to a subscriber: it was too slow, or they are larger than it accepts. */
  dropped: number;
  /** Subscribers that were disconnected because they were too slow. */
  disconnected: number;
}

/**
 * Counts of the events that a peer receives.
 *
 * @example
 * const { gaps }: InterestsCounters = (await peer.info()).counters.events;
 */
export interface InterestsCounters {
  /** Subscriptions of this peer at other peers: one for each name and peer. */
  subscriptions: number;
  /** Events that arrived for a subscription. */
  received: number;
  /** How often events were missed. */
  gaps: number;
}

/**
 * Counts of the events that a peer emits and receives.
 *
 * @example
 * const { sent, received }: EventsCounters = (await peer.info()).counters.events;
 */
export type EventsCounters = TopicsCounters & InterestsCounters;
