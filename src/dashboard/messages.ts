import type { LeaveReason } from '../connection/link/evidence.ts';
import type {
  WatchedCall,
  WatchedFunction,
  WatchedHappening,
  WatchedLoad,
  WatchedQueue,
} from '../presence/set/peer-watch.ts';

/** What the page of the dashboard gets: the stream `net.watch` of the observer. Everything in it is bounded. */

export interface FleetMessage {
  /** The first message is a snapshot; later ones have what has changed. */
  type: 'snapshot' | 'delta';
  /** Clock of the observer, in ms since 1970. */
  at: number;
  /** Peers that are new or have changed. */
  peers: FleetPeer[];
  /** Ids of the peers that are gone. */
  gone: string[];
  /** All connections between the peers: once a second, and when one has opened, closed or changed its state. */
  links?: FleetLink[];
  /** Calls that ended since the last message, of all peers together. */
  functions: WatchedFunction[];
  /** The calls that have been under way for longest, of all peers: at most 50. */
  calls: FleetCall[];
  /** Events with subscribers, of all peers: once a second, at most 100. */
  events?: FleetEvent[];
  /** Subscribers for which events wait: once a second, at most 50. */
  queues?: (WatchedQueue & { at: string })[];
  /** What has happened, or is better known now. One with a key that is known takes the place of the older one. */
  happened: FleetHappening[];
}

export interface FleetPeer {
  id: string;
  name: string;
  group: string;
  hub: boolean;
  host: string;
  pid: number;
  version: string;
  /** Functions that it has connected. */
  functions: number;
  /**
   * `live`: it tells what it does. `silent`: nothing has come from it for half a second. `unseen`: it does not let itself be watched, or
   * cannot. `new`: it has just joined.
   */
  state: 'live' | 'silent' | 'unseen' | 'new';
  /** Why it is unseen. */
  trouble?: string;
  /** How long nothing has come from it, in ms; only of a silent one. */
  quiet?: number;
  load?: WatchedLoad;
  /** Calls in the last second: that it ran for others, that it made, and those of both that failed. */
  ran: number;
  made: number;
  failed: number;
}

/** A connection between two peers. */
export interface FleetLink {
  from: string;
  to: string;
  /** The worse one of the states at both ends. */
  state: string;
  /** In ms; absent while it is not measured. */
  roundTrip?: number;
  /** Characters and bytes a second, both directions. */
  traffic: number;
  relayed: boolean;
}

export type FleetCall = WatchedCall & { at: string; atName: string };

export interface FleetEvent {
  name: string;
  /** Peers that have emitted it. */
  emitters: number;
  subscribers: number;
  /** A second. */
  emitted: number;
}

export type FleetHappening =
  | { key: number; type: 'join'; at: number; id: string; name: string; group: string; witnesses: number }
  | {
      key: number;
      type: 'leave';
      at: number;
      id: string;
      name: string;
      group: string;
      why: LeaveReason;
      evidence: string;
      /** Watched peers that saw it leave. */
      witnesses: number;
      /** Whether the observer saw it leave, too. */
      seenHere: boolean;
    }
  | {
      key: number;
      type: 'gap';
      at: number;
      id: string;
      name: string;
      event: string;
      missed?: number;
      by: string;
    };

export type Witnessed = Extract<WatchedHappening, { type: 'join' | 'leave' }>;
