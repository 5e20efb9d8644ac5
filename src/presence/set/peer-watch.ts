import type { LeaveReason } from '../../connection/link/evidence.ts';
import type { CallerCounters, DispatcherCounters, EventsCounters } from './peer-info.ts';

/** What a peer tells those who watch it: the messages of `remotePeer.watch()`. They hold no argument, result or payload. */

/**
 * One message of `remotePeer.watch()`: all there is (`snapshot`), or what has happened in the 250 ms before it (`delta`).
 *
 * @example
 * for await (const { load, functions } of peer.watch()) {
 *   console.log(load.caller.pending, functions.map(({ tag, ok }) => `${tag} ${ok}`));
 * }
 */
export interface PeerWatch {
  /**
   * The first message is a snapshot. A reader that falls 10 s behind gets another one in place of the deltas that it did not take.
   */
  type: 'snapshot' | 'delta';
  /** The time on the host of the peer, in ms since 1970. */
  at: number;
  /** What the peer says of itself; only in a snapshot. */
  about?: WatchedAbout;
  /** How much work it has now. */
  load: WatchedLoad;
  /** Its connections, at most 256: once a second, and at once when the state of one has changed. */
  links?: WatchedLink[];
  /** The calls that have ended, by function and side: at most 100 functions, the others together as `other`. */
  functions: WatchedFunction[];
  /** The calls that have been under way for 250 ms or longer: the oldest 20. */
  calls: WatchedCall[];
  /** Events with subscribers, at most 100: once a second. */
  events?: WatchedEvent[];
  /** Subscribers for which events wait, at most 20: once a second. */
  queues?: WatchedQueue[];
  /** Peers that joined or left, and events that were missed: at most 100. */
  happened: WatchedHappening[];
  /** Its actors, if they were asked for and have changed: at most 500. */
  actors?: WatchedActor[];
}

/**
 * The report of a watched peer about itself.
 *
 * @example
 * const nameOf = ({ name, host, pid }: WatchedAbout) => `${name} on ${host}, process ${pid}`;
 */
export interface WatchedAbout {
  /** Its identity. */
  id: string;
  /** Its name for people. */
  name: string;
  /** The group it belongs to. */
  group: string;
  /** Whether it is labelled as a hub. */
  hub: boolean;
  /** The name of its host. */
  host: string;
  /** Process id, on its own host. */
  pid: number;
  /** The version of this library. */
  version: string;
  /** The version of Node.js. */
  node: string;
  /** How long ago the peer was made, in ms. */
  uptime: number;
  /** Tags of the functions that it has connected, in readable form: the first 200. */
  functions: string[];
}

/**
 * The work of a watched peer at one moment.
 *
 * @example
 * const isBusy = ({ busy, delay }: WatchedLoad) => busy > 0.9 || delay > 100;
 */
export interface WatchedLoad {
  /** Peers that are present for it. */
  peers: number;
  /** Calls that it makes. */
  caller: CallerCounters;
  /** Calls of others that it runs. */
  dispatcher: DispatcherCounters;
  /** Events. */
  events: EventsCounters;
  /** The share of the time in which its event loop was busy, from 0 to 1. */
  busy: number;
  /** How late its event loop was with this message, in ms. */
  delay: number;
  /** Resident memory of its process, in bytes. */
  memory: number;
}

/**
 * A connection of a watched peer.
 *
 * @example
 * const slow = (links: WatchedLink[]) => links.filter(({ roundTrip }) => roundTrip !== undefined && roundTrip > 100);
 */
export interface WatchedLink {
  /** Id of the other peer; its address while only that is known. */
  id: string;
  /** Name of the other peer; empty before it is known. */
  name: string;
  group: string;
  /** The state of the connection: `open`, `suspect`, `dialing`, `authenticating`, `draining`, … */
  state: string;
  /** The last round trip of a ping that was sent while the peer was watched, in ms; absent without one. */
  roundTrip?: number;
  /** Whether it goes through NATS. */
  relayed: boolean;
  /** Characters of text and bytes of binary messages. */
  sent: number;
  received: number;
  /** Calls to the other peer that were sent and are not answered; that wait here. */
  pending: number;
  waiting: number;
  /** Calls of the other peer that have not settled here. */
  running: number;
  /** The network is slower than this peer writes. */
  slow: boolean;
}

/**
 * Calls of one function that ended since the message before.
 *
 * @example
 * const failures = ({ failed }: WatchedFunction) => Object.values(failed).reduce((sum, count) => sum + count, 0);
 */
export interface WatchedFunction {
  /** The readable name of the function. */
  tag: string;
  /** `ran`: the peer ran them for others, or refused them. `made`: it made them. */
  side: 'ran' | 'made';
  /** How many succeeded. */
  ok: number;
  /** How many failed, by code and `ran`: `{ 'OVERLOADED no': 3 }`. The code is `ERROR` when the function threw. */
  failed: Record<string, number>;
  /**
   * How long they took: pairs of a bucket and a count, so that `[24, 7]` are 7 calls in bucket 24. Bucket `n` ends at
   * 0.01 ms · 2^((n + 1) / 4), and there are 96. Refused calls are in none.
   */
  times: number[];
}

/**
 * A call that is under way.
 *
 * @example
 * const line = ({ tag, age }: WatchedCall) => `${tag}: ${Math.round(age / 1_000)} s`;
 */
export interface WatchedCall {
  /** The readable name of the function. */
  tag: string;
  /** `made`: the watched peer waits for the answer. `ran`: it runs the function. */
  side: 'ran' | 'made';
  /** Id and name of the other peer. */
  peer: string;
  name: string;
  /** For how long, in ms. */
  age: number;
  /** `waiting`: for room, or for its turn. `ending`: its caller does not wait for it any more. */
  state: 'waiting' | 'running' | 'streaming' | 'ending';
}

/**
 * An event that a watched peer emits.
 *
 * @example
 * const lonely = ({ subscribers }: WatchedEvent) => subscribers === 0;
 */
export interface WatchedEvent {
  name: string;
  /** How many peers subscribe to it. */
  subscribers: number;
  /** Ids of the first 20. */
  peers: string[];
  /** The number of the newest one; 0 if none was emitted. */
  sequence: number;
  /** How many were emitted since the last message with events. */
  emitted: number;
}

/**
 * Events that wait for a subscriber that is slower than they come.
 *
 * @example
 * const worst = (queues: WatchedQueue[]) => queues.toSorted((a, b) => b.bytes - a.bytes)[0];
 */
export interface WatchedQueue {
  /** Id and name of the subscriber. */
  peer: string;
  name: string;
  events: number;
  bytes: number;
  /** The oldest events are dropped. */
  dropping: boolean;
}

/**
 * Something that happened.
 *
 * @example
 * const leaves = (all: WatchedHappening[]) => all.flatMap((each) => (each.type === 'leave' ? [each.evidence] : []));
 */
export type WatchedHappening =
  | { type: 'join'; at: number; id: string; name: string; group: string }
  | {
      type: 'leave';
      at: number;
      id: string;
      name: string;
      group: string;
      why: LeaveReason;
      /** The evidence in words. */
      evidence: string;
    }
  /** The watched peer missed events of this name from the peer with this id. `missed` is absent if the number is unknown. */
  | { type: 'gap'; at: number; id: string; name: string; event: string; missed?: number }
  /** An actor of the watched peer went to another state; only if actors were asked for. */
  | { type: 'transition'; at: number; actor: string; event: string; state: string };

/**
 * An actor of a watched peer. The list of them is the tree, each parent right before its children.
 *
 * @example
 * const line = ({ depth, name, state }: WatchedActor) => `${'  '.repeat(depth)}${name}: ${state}`;
 */
export interface WatchedActor {
  name: string;
  /** 0 for the peer itself. */
  depth: number;
  /** Its state; `active` for an actor without states. */
  state: string;
}
