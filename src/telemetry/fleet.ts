import { BUCKETS, OTHER } from '../calls/call-stats.ts';
import type { FunctionWork } from '../presence/set/peer-info.ts';
import type { CallSeries, PeerMetrics } from '../presence/set/peer-metrics.ts';

/** Adds up the numbers of many peers. They come from others, so anything may be in them. */

/** Functions that are told apart in a sum, whatever the peers tell. */
const MOST_TAGS = 1_000;

/** Ends of the calls of one function that are told apart: more than there are. */
const MOST_ENDS = 64;

/** Characters of a name. */
const LONGEST = 256;

/** States and reasons that are told apart. */
const MOST_KEYS = 16;

type Fields = Readonly<Record<string, unknown>>;

/** The sum of several peers. */
export class Sum {
  readonly metrics: PeerMetrics = nothing();
  readonly #made = new SeriesSum();
  readonly #ran = new SeriesSum();
  readonly #work = new WorkSum();

  /** @param gone the peer is no more: what it did counts, what it has now does not */
  add(told: unknown, gone = false): void {
    const { metrics: to } = this;
    const from = fieldsOf(told);
    this.#made.add(from['made']);
    this.#ran.add(from['ran']);
    to.made = this.#made.list();
    to.ran = this.#ran.list();
    const counters = fieldsOf(from['counters']);
    const events = fieldsOf(counters['events']);
    addAll(to.counters.events, events, ['emitted', 'sent', 'dropped', 'disconnected', 'received', 'gaps']);
    addAll(to.links, fieldsOf(from['links']), ['opened', 'reopened', 'sent', 'received']);
    addAll(to, from, ['joins']);
    const threads = fieldsOf(from['threads']);
    addAll(to.threads, threads, ['started', 'crashed', 'killed']);
    addAll(to.leaves, fieldsOf(from['leaves']), ['stopped', 'lost', 'replaced']);
    if (gone) return;
    addAll(to.counters.caller, fieldsOf(counters['caller']), ['pending', 'waiting']);
    addAll(to.counters.dispatcher, fieldsOf(counters['dispatcher']), ['held', 'waiting', 'running']);
    addAll(to.counters.events, events, ['queued', 'subscriptions']);
    addAll(to.links, fieldsOf(from['links']), ['open']);
    addAll(to, from, ['streams', 'memory']);
    addAll(to.threads, threads, ['alive', 'running', 'waiting']);
    this.#work.add(from['work']);
    to.work = this.#work.list();
    for (const [state, count] of Object.entries(fieldsOf(from['peers'])).slice(0, MOST_KEYS)) {
      if (/^[a-z]{1,32}$/.test(state)) to.peers[state] = (to.peers[state] ?? 0) + number(count);
    }
    const loop = fieldsOf(from['loop']);
    for (const key of ['median', 'p99', 'max', 'utilization'] as const) {
      to.loop[key] = Math.max(to.loop[key], number(loop[key]));
    }
    to.uptime = Math.max(to.uptime, number(from['uptime']));
  }
}

class WorkSum {
  readonly #work = new Map<string, FunctionWork>();

  add(told: unknown): void {
    if (!Array.isArray(told)) return;
    for (const each of told.slice(0, MOST_TAGS + 1) as unknown[]) {
      const from = fieldsOf(each);
      const name = textOf(from['tag']);
      const tag = this.#work.has(name) || this.#work.size < MOST_TAGS ? name : OTHER;
      const to = this.#work.get(tag) ?? { tag, running: 0, waiting: 0, threads: 0 };
      this.#work.set(tag, to);
      addAll(to, from, ['running', 'waiting', 'threads']);
    }
  }

  list(): FunctionWork[] {
    return [...this.#work.values()];
  }
}

class SeriesSum {
  readonly #series = new Map<string, CallSeries>();
  readonly #tags = new Set<string>();

  add(told: unknown): void {
    if (!Array.isArray(told)) return;
    for (const each of told.slice(0, MOST_TAGS * MOST_ENDS) as unknown[]) this.#addOne(fieldsOf(each));
  }

  list(): CallSeries[] {
    return [...this.#series.values()];
  }

  #addOne(from: Fields): void {
    const { ran, buckets } = from;
    const code = textOf(from['code']);
    if (ran !== 'yes' && ran !== 'no' && ran !== 'unknown') return;
    if (!Array.isArray(buckets) || !/^[A-Z_]{1,32}$/.test(code)) return;
    const tag = this.#bounded(textOf(from['tag']));
    const key = `${tag}\n${code}\n${ran}`;
    const to = this.#series.get(key) ?? {
      ...{ tag, code, ran, count: 0, seconds: 0 },
      buckets: Array.from({ length: BUCKETS.length + 1 }, () => 0),
    };
    this.#series.set(key, to);
    to.seconds += number(from['seconds']);
    for (let index = 0; index <= BUCKETS.length; index += 1) {
      const count = number(buckets[index]);
      to.buckets[index]! += count;
      // The count of a histogram is that of its buckets, whatever is told.
      to.count += count;
    }
  }

  #bounded(tag: string): string {
    if (this.#tags.has(tag)) return tag;
    if (this.#tags.size >= MOST_TAGS) return OTHER;
    this.#tags.add(tag);
    return tag;
  }
}

function nothing(): PeerMetrics {
  return {
    ...{ made: [], ran: [] },
    counters: {
      caller: { pending: 0, waiting: 0, settled: 0 },
      dispatcher: { registered: 0, held: 0, waiting: 0, running: 0, settled: 0 },
      events: {
        ...{ emitted: 0, sent: 0, queued: 0, dropped: 0, disconnected: 0 },
        ...{ subscriptions: 0, received: 0, gaps: 0 },
      },
    },
    links: { open: 0, opened: 0, reopened: 0, sent: 0, received: 0 },
    leaves: { stopped: 0, lost: 0, replaced: 0, unreachable: 0 },
    loop: { median: 0, p99: 0, max: 0, utilization: 0 },
    threads: { alive: 0, running: 0, waiting: 0, started: 0, crashed: 0, killed: 0 },
    ...{ work: [], peers: {}, streams: 0, joins: 0, memory: 0, uptime: 0 },
  };
}

function addAll<Key extends string>(to: Record<Key, number>, from: Fields, keys: readonly Key[]): void {
  for (const key of keys) to[key] += number(from[key]);
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, LONGEST) : OTHER;
}

function number(value: unknown): number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : 0;
}
