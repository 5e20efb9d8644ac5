import type { LeaveReason } from '../../connection/link/evidence.ts';
import type { Ran } from '../../base/errors.ts';
import type { FunctionWork, PeerInfo } from './peer-info.ts';

/** The numbers of a peer, as `metrics()` returns them. */

/**
 * The calls of one function that ended in one way. The sums of `peer.metrics().made` and `.ran` grow until the peer is stopped.
 *
 * @example
 * const failed = (series: CallSeries) => series.code !== 'OK';
 * console.log(createPeer().metrics().ran.filter(failed));
 */
export interface CallSeries {
  /** The readable name of the function; `other` for all beyond the first 1,000. */
  tag: string;
  /** `OK`, the code of the failure, or `ERROR` when the function threw. */
  code: string;
  /** Whether the function ran. */
  ran: Ran;
  /** How many calls. */
  count: number;
  /** How long they took together, in s. For a call that streams: until the end of its stream. */
  seconds: number;
  /**
   * How many took at most 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500 ms, 1, 2.5, 5, 10 s and longer. Each call is in one of the 15.
   */
  buckets: number[];
}

/**
 * The work of a peer, in numbers. Calls are counted from the first time that somebody asks for the numbers.
 *
 * @example
 * const { made, counters, leaves } = createPeer().metrics();
 * console.log(made.length, counters.events.gaps, leaves.lost);
 */
export interface PeerMetrics {
  /** Calls that this peer made, by function and end. */
  made: CallSeries[];
  /** Calls that it ran for others, or refused. */
  ran: CallSeries[];
  /** How much work it has now, and its counts since it was made; the same as in `info()`. */
  counters: PeerInfo['counters'];
  /** The present work of functions with the option `concurrency` or `threads`. Functions beyond the first 1,000 are summed as `other`. */
  work: FunctionWork[];
  /** Worker threads, of all functions with the option `threads`. */
  threads: {
    /** Threads that exist now. */
    alive: number;
    /** Calls that run in them now. */
    running: number;
    /** Calls that wait for a thread. */
    waiting: number;
    /** All threads that were started. */
    started: number;
    /** Threads that ended by themselves: an error that nobody caught, `process.exit()`, too much memory. */
    crashed: number;
    /** Threads that were ended because their function did not stop in time (the option `kill`). */
    killed: number;
  };
  /** Streams that are open now, in both directions. */
  streams: number;
  /** Connections to other peers. */
  links: {
    /** Connections that are open now. */
    open: number;
    /** All connections that were opened. */
    opened: number;
    /** Connections that were opened to a peer after an earlier one to it was lost. */
    reopened: number;
    /** Characters of text and bytes of binary messages that were written. */
    sent: number;
    /** Characters of text and bytes of binary messages that arrived. */
    received: number;
  };
  /** Other peers by the state of their connection: `open`, `suspect`, `dialing`, `authenticating`, … */
  peers: Record<string, number>;
  /** Peers that joined, including those that have left again. */
  joins: number;
  /** Peers that left, by reason. */
  leaves: Record<LeaveReason, number>;
  /** The event loop of the process, since the last time that somebody asked. */
  loop: {
    /** Delay of due tasks, in s: the median. */
    median: number;
    /** The delay that 99 % of the samples did not exceed, in s. */
    p99: number;
    /** The longest delay, in s. */
    max: number;
    /** The share of the time in which it was busy, from 0 to 1. */
    utilization: number;
  };
  /** Resident memory of the process, in bytes. */
  memory: number;
  /** How long ago the peer was made, in s. */
  uptime: number;
}
