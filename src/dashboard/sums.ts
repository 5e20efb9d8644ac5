import type { WatchedFunction } from '../index.ts';
import type { FleetCall, FleetEvent, FleetLink, FleetMessage } from './messages.ts';
import type { WatchedPeer } from './watched-peer.ts';

/** What all peers tell, added up. */

const MOST_FUNCTIONS = 200;
const MOST_CALLS = 50;
const MOST_EVENTS = 100;
const MOST_QUEUES = 50;

/** Calls that ended at any peer since the last time. */
export class FunctionSums {
  readonly #sums = new Map<string, { row: WatchedFunction; times: Map<number, number>; count: number }>();

  add(rows: readonly WatchedFunction[]): void {
    for (const { tag, side, ok, failed, times } of rows) {
      const key = `${side} ${tag}`;
      const sum = this.#sums.get(key) ?? {
        row: { tag, side, ok: 0, failed: {}, times: [] },
        ...{ times: new Map<number, number>(), count: 0 },
      };
      this.#sums.set(key, sum);
      sum.row.ok += ok;
      sum.count += ok;
      for (const [code, count] of Object.entries(failed)) {
        sum.row.failed[code] = (sum.row.failed[code] ?? 0) + count;
        sum.count += count;
      }
      for (let at = 0; at + 1 < times.length; at += 2) {
        const bucket = times[at]!;
        sum.times.set(bucket, (sum.times.get(bucket) ?? 0) + times[at + 1]!);
      }
    }
  }

  take(): WatchedFunction[] {
    const sums = [...this.#sums.values()].toSorted((a, b) => b.count - a.count).slice(0, MOST_FUNCTIONS);
    this.#sums.clear();
    for (const { row, times } of sums) row.times = [...times].flat();
    return sums.map(({ row }) => row);
  }
}

/**
 * The calls that have been under way for longest. If both sides tell of a call, it is told once, by the side that runs it.
 * @param live peers whose words still hold
 */
export function callsOf(live: readonly WatchedPeer[]): FleetCall[] {
  const ids = new Set(live.map(({ remote }) => remote.id));
  const calls = live.flatMap(({ remote, last }) =>
    (last?.calls ?? [])
      .filter(({ side, peer, state }) => side === 'ran' || state === 'waiting' || !ids.has(peer))
      .map((call): FleetCall => Object.assign({ at: remote.id, atName: remote.name }, call)),
  );
  return calls.toSorted((a, b) => b.age - a.age).slice(0, MOST_CALLS);
}

export function eventsOf(peers: Iterable<WatchedPeer>): Required<Pick<FleetMessage, 'events' | 'queues'>> {
  const events = new Map<string, FleetEvent & { ids: Set<string> }>();
  const queues: FleetMessage['queues'] = [];
  for (const { last, remote } of peers) {
    for (const { name, subscribers, peers: ids, sequence, emitted } of last?.events ?? []) {
      const event = events.get(name) ?? { name, emitters: 0, subscribers: 0, emitted: 0, ids: new Set() };
      events.set(name, event);
      if (sequence > 0) event.emitters += 1;
      event.emitted += emitted;
      for (const id of ids) event.ids.add(id);
      // Only the first ids are told.
      event.subscribers = Math.max(event.subscribers, subscribers, event.ids.size);
    }
    for (const queue of last?.queues ?? []) queues.push({ ...queue, at: remote.name });
  }
  const sorted = [...events.values()].toSorted((a, b) => b.emitted - a.emitted || (a.name < b.name ? -1 : 1));
  return {
    events: sorted
      .slice(0, MOST_EVENTS)
      .map(({ name, emitters, subscribers, emitted }) => ({ name, emitters, subscribers, emitted })),
    queues: queues.toSorted((a, b) => b.bytes - a.bytes).slice(0, MOST_QUEUES),
  };
}

/** From the best to the worst. */
const STATES = ['open', 'authenticating', 'dialing', 'waiting', 'draining', 'suspect', 'closed'];

/** Traffic is measured over at least this time, in ms. */
const MEASURED = 600;

interface Counted {
  readonly bytes: number;
  readonly at: number;
  readonly traffic: number;
}

/** The connections between the peers that are shown. Both ends tell of one. */
export class LinkSums {
  /** By pair of ids. */
  #before = new Map<string, Counted>();

  /** @param now in ms, on any clock */
  read(peers: readonly WatchedPeer[], now: number): FleetLink[] {
    const ids = new Set(peers.map(({ remote }) => remote.id));
    const links = new Map<string, { link: FleetLink; bytes: number }>();
    for (const { remote, last } of peers) {
      for (const { id, state, roundTrip, sent, received, relayed } of last?.links ?? []) {
        if (!ids.has(id)) continue;
        const [from, to] = remote.id < id ? [remote.id, id] : [id, remote.id];
        const key = `${from} ${to}`;
        const entry = links.get(key) ?? { link: { from, to, state, traffic: 0, relayed }, bytes: 0 };
        links.set(key, entry);
        const { link } = entry;
        if (STATES.indexOf(state) > STATES.indexOf(link.state)) link.state = state;
        if (roundTrip !== undefined) link.roundTrip = Math.min(link.roundTrip ?? Infinity, roundTrip);
        entry.bytes = Math.max(entry.bytes, sent + received);
      }
    }
    const before = this.#before;
    this.#before = new Map();
    for (const [key, { link, bytes }] of links) {
      const counted = countedOf(before.get(key), bytes, now);
      this.#before.set(key, counted);
      link.traffic = counted.traffic;
    }
    return [...links.values()].map(({ link }) => link);
  }
}

function countedOf(before: Counted | undefined, bytes: number, at: number): Counted {
  if (!before) return { bytes, at, traffic: 0 };
  if (at - before.at < MEASURED) return before;
  return { bytes, at, traffic: Math.max(0, Math.round(((bytes - before.bytes) * 1_000) / (at - before.at))) };
}

/** Says whether connections have opened, closed or changed their state. */
export function shapeOf(links: readonly { id: string; state: string }[]): string {
  return links.map(({ id, state }) => `${id} ${state}`).join();
}
