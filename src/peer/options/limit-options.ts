import type { Limits } from '../../wire/frames.ts';
import { refuseUnknown, whole } from '../../base/option-checks.ts';
import { LEAST_MESSAGE } from '../../wire/guards.ts';

/**
 * Limits on what a peer accepts from other peers and keeps for them. Both sides keep to what the other one has told.
 *
 * @example
 * const limits: Partial<PeerLimits> = { running: 64, queue: 1_000 };
 * configure({ limits });
 */
export interface PeerLimits {
  /**
   * Peers that are connected at the same time. The next one that connects is turned away. At most 10,000,000.
   * Unit: peers. Default: 4,096.
   */
  peers: number;
  /**
   * Guests that are connected at the same time: peers that have a pass. They do not count as `peers`. At most 10,000,000.
   * Unit: guests. Default: 1,024.
   */
  guests: number;
  /**
   * The size of one message. At least 65,536, at most 268,435,456 (256 MiB): the engine holds a message as one string and
   * makes others of it.
   * Unit: bytes. Default: 16,777,216 (16 MiB).
   */
  message: number;
  /** Unanswered calls of one connection. At most 10,000,000. Unit: calls. Default: 1,024. */
  calls: number;
  /**
   * Streams of one connection that are open here at the same time, results and arguments together. At most 10,000,000.
   * Unit: streams. Default: 256.
   */
  streams: number;
  /**
   * Calls that run here at the same time, all connections together. The next one fails with `OVERLOADED`.
   * At most 10,000,000.
   * Unit: calls. Default: 16,384.
   */
  running: number;
  /**
   * Calls to one peer that wait here until the peer has room. The next one fails with `OVERLOADED`. At most 10,000,000.
   * Unit: calls. Default: 65,536.
   */
  queue: number;
  /**
   * Data that was written to a connection and that the network has not taken yet. Above this limit, calls wait until the
   * network has taken it. At least 65,536, at most 4,294,967,296 (4 GiB).
   * Unit: bytes. Default: 16,777,216 (16 MiB).
   */
  buffered: number;
  /**
   * Event names that one other peer can be subscribed to at the same time. At most 10,000,000.
   * Unit: names. Default: 1,024.
   */
  subscriptions: number;
  /**
   * Events that wait here for one subscriber that is slower than they come. At most 4,294,967,296 (4 GiB).
   * Unit: bytes. Default: 16,777,216 (16 MiB).
   */
  events: number;
}

const MIB = 1024 * 1024;

/** The most of anything that is counted. A Map of the engine's holds 16.7 million entries; one more is a RangeError. */
const MOST_KEPT = 10_000_000;

/** Bytes. A Node socket reports that it has room again only after it has held this much. */
const LEAST_BUFFERED = 65_536;

/** @throws TypeError that names the limit and the values that it can have */
export function limits(given: Partial<PeerLimits> | undefined): PeerLimits {
  refuseUnknown('limit', given ?? {}, KNOWN_LIMITS);
  return {
    peers: whole('limits.peers', given?.peers, 4_096, 1, MOST_KEPT),
    guests: whole('limits.guests', given?.guests, 1_024, 0, MOST_KEPT),
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

/** The limits that the other side of a connection has to know. */
export function announcedLimits({ message, calls, streams, running, subscriptions }: PeerLimits): Limits {
  return { message, calls, streams, running, subscriptions, load: true };
}

// The type makes it exhaustive, as with the options.
const KNOWN_LIMITS: Record<keyof PeerLimits, true> = {
  peers: true,
  guests: true,
  message: true,
  calls: true,
  streams: true,
  running: true,
  queue: true,
  buffered: true,
  subscriptions: true,
  events: true,
};
