import { refuseUnknown, whole } from '../base/option-checks.ts';
import { LEAST_MESSAGE } from '../wire/guards.ts';

/** What one peer takes from each other one. Both sides keep to what they were told. */

export interface PeerLimits {
  /** Peers that are connected at a time. Another one that connects is turned away. Default: 4 096. */
  peers: number;
  /**
   * Bytes of one message. At least 65 536, at most 268 435 456 (256 MiB): the engine has to hold it as one string, and make
   * others of it. Default: 16 777 216 (16 MiB).
   */
  message: number;
  /** Calls of one connection that are not answered yet. This and all that are counted: at most 10 000 000. Default: 1 024. */
  calls: number;
  /** Streams of one connection that are open here at once, results and arguments together. Default: 256. */
  streams: number;
  /** Calls of all connections together that run here at once; one more is OVERLOADED. Default: 16 384. */
  running: number;
  /** Calls to one peer that wait here until the peer has room. One more is OVERLOADED. Default: 65 536. */
  queue: number;
  /**
   * Bytes that are written to a connection and not yet taken by the network. Above it calls wait here until they have
   * been. At least 65 536, at most 4 294 967 296 (4 GiB). Default: 16 777 216 (16 MiB).
   */
  buffered: number;
  /** Names of events that one other peer may be subscribed to at a time. Default: 1 024. */
  subscriptions: number;
  /**
   * Bytes of events that wait here for one subscriber that does not take them as fast as they come. At most
   * 4 294 967 296 (4 GiB). Default: 16 777 216 (16 MiB).
   */
  events: number;
}

const MIB = 1024 * 1024;

/**
 * How many of anything may be kept: a Map of the engine's holds 16.7 million entries, and the one after that is a
 * RangeError.
 */
const MOST_KEPT = 10_000_000;

/** Bytes. A socket of Node's says that it has room again only when it has held so much. */
const LEAST_BUFFERED = 65_536;

/** @throws TypeError naming the limit, and what it may be */
export function limits(given: Partial<PeerLimits> | undefined): PeerLimits {
  refuseUnknown('limit', given ?? {}, KNOWN_LIMITS);
  return {
    peers: whole('limits.peers', given?.peers, 4_096, 1, MOST_KEPT),
    message: whole('limits.message', given?.message, 16 * MIB, LEAST_MESSAGE, 256 * MIB),
    calls: whole('limits.calls', given?.calls, 1_024, 1, MOST_KEPT),
    streams: whole('limits.streams', given?.streams, 256, 1, MOST_KEPT),
    running: whole('limits.running', given?.running, 16_384, 1, MOST_KEPT),
    queue: whole('limits.queue', given?.queue, 65_536, 0, MOST_KEPT),
    buffered: whole('limits.buffered', given?.buffered, 16 * MIB, LEAST_BUFFERED, 4_096 * MIB),
    subscriptions: whole('limits.subscriptions', given?.subscriptions, 1_024, 0, MOST_KEPT),
    events: whole('limits.events', given?.events, 16 * MIB, 0, 4_096 * MIB),
  };
}

// Exhaustive by its type, as are the options.
const KNOWN_LIMITS: Record<keyof PeerLimits, true> = {
  peers: true,
  message: true,
  calls: true,
  streams: true,
  running: true,
  queue: true,
  buffered: true,
  subscriptions: true,
  events: true,
};
