import type { WatchedFunction, WatchedQueue } from '../../presence/set/peer-watch.ts';
import type {
  FleetCall,
  FleetEvent,
  FleetHappening,
  FleetLink,
  FleetMessage,
  FleetPeer,
} from '../messages.ts';
import { Calls } from './latency.ts';

/** Messages that are kept: 150 s. Everything that the page remembers has a limit. */
export const TICKS = 600;
export const TICK = 250;

/** Rates and percentiles are of the last 10 s. */
const WINDOW = 40;

const MOST_HAPPENINGS = 200;

/** How long a peer that has left is still drawn, in ms. */
export const GHOST = 8_000;

export interface Tick {
  readonly at: number;
  readonly functions: readonly WatchedFunction[];
}

export interface FunctionRow {
  readonly tag: string;
  readonly calls: Calls;
  /** Calls in each second of the last 30, the newest last. */
  readonly rates: readonly number[];
}

export interface Ghost {
  readonly peer: FleetPeer;
  readonly at: number;
}

export type Connection = 'connecting' | 'open' | 'lost' | 'over';

/** Whether durations are those that callers saw, or those of the functions alone. */
export type Side = WatchedFunction['side'];

/** Everything that the page knows. */
export class Store {
  readonly peers = new Map<string, FleetPeer>();
  readonly ghosts = new Map<string, Ghost>();
  links: readonly FleetLink[] = [];
  calls: readonly FleetCall[] = [];
  events: readonly FleetEvent[] = [];
  queues: readonly (WatchedQueue & { at: string })[] = [];
  readonly happened = new Map<number, FleetHappening>();
  ticks: Tick[] = [];
  at = 0;
  connection: Connection = 'connecting';
  /** Why there is no connection. */
  trouble = '';
  readonly #listeners = new Set<() => void>();

  /** Returns a function that ends it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  become(connection: Connection, trouble = ''): void {
    this.connection = connection;
    this.trouble = trouble;
    this.#tell();
  }

  take(message: FleetMessage): void {
    if (message.type === 'snapshot') {
      this.peers.clear();
      this.happened.clear();
      this.links = [];
    }
    this.at = message.at;
    for (const peer of message.peers) {
      this.peers.set(peer.id, peer);
      this.ghosts.delete(peer.id);
    }
    for (const id of message.gone) this.#bury(id);
    this.links = message.links ?? this.links;
    this.calls = message.calls;
    this.events = message.events ?? this.events;
    this.queues = message.queues ?? this.queues;
    for (const each of message.happened) this.happened.set(each.key, each);
    for (const key of this.happened.keys()) {
      if (this.happened.size <= MOST_HAPPENINGS) break;
      this.happened.delete(key);
    }
    this.ticks.push({ at: message.at, functions: message.functions });
    if (this.ticks.length > TICKS) this.ticks.shift();
    this.#tell();
  }

  /** The functions that were called in the time that is kept, those with the most calls first. */
  functions(side: Side): FunctionRow[] {
    const rows = new Map<string, { tag: string; calls: Calls; rates: number[] }>();
    const recent = this.ticks.length - WINDOW;
    const first = this.ticks.length - 120;
    for (const [index, { functions }] of this.ticks.entries()) {
      for (const each of functions) {
        if (each.side !== side) continue;
        const row = rows.get(each.tag) ?? {
          tag: each.tag,
          calls: new Calls(),
          rates: Array.from({ length: 30 }, () => 0),
        };
        rows.set(each.tag, row);
        if (index >= recent) row.calls.add(each);
        if (index < first) continue;
        const second =
          Math.floor((index - Math.max(0, first)) / 4) + Math.max(0, 30 - Math.ceil(this.ticks.length / 4));
        row.rates[second] = (row.rates[second] ?? 0) + each.ok + failuresOf(each);
      }
    }
    return [...rows.values()].toSorted((a, b) => b.calls.count - a.calls.count || (a.tag < b.tag ? -1 : 1));
  }

  /** All calls of the last 10 s together. */
  total(side: Side): Calls {
    const calls = new Calls();
    for (const { functions } of this.ticks.slice(-WINDOW)) {
      for (const each of functions) if (each.side === side) calls.add(each);
    }
    return calls;
  }

  /** Seconds that `functions` and `total` sum up. */
  get window(): number {
    return Math.max(1, (Math.min(WINDOW, this.ticks.length) * TICK) / 1_000);
  }

  #bury(id: string): void {
    const peer = this.peers.get(id);
    if (!peer) return;
    this.peers.delete(id);
    this.ghosts.set(id, { peer, at: performance.now() });
    for (const [each, { at }] of this.ghosts) if (performance.now() - at > GHOST) this.ghosts.delete(each);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function failuresOf({ failed }: WatchedFunction): number {
  return Object.values(failed).reduce((sum, count) => sum + count, 0);
}
