import type { PeerMetrics } from '../presence/set/peer-metrics.ts';
import type { Labels } from './metrics-writer.ts';

/** The metrics that are one number, or one for each label. The histograms of calls are in `metrics-text.ts`. */

/** What a metric shows of a peer. */
type Read = (metrics: PeerMetrics) => number | Iterable<readonly [labels: Labels, value: number]>;

/** A counter is named without `_total`. */
export type Row = readonly [name: string, type: 'counter' | 'gauge', help: string, read: Read];

/** The values of a record, each with its key as the label. */
function by(label: string, values: Readonly<Record<string, number>>): [Labels, number][] {
  return Object.entries(values).map(([key, value]) => [{ [label]: key }, value]);
}

function byTag({ work }: PeerMetrics, count: 'running' | 'waiting'): [Labels, number][] {
  return work.map(({ tag, [count]: value }) => [{ tag }, value]);
}

export const ROWS: readonly Row[] = [
  ['client_calls_in_flight', 'gauge', 'Calls sent and not answered.', (m) => m.counters.caller.pending],
  ['client_calls_waiting', 'gauge', 'Calls that wait here for room.', (m) => m.counters.caller.waiting],
  ['server_calls_running', 'gauge', 'Calls whose function runs.', (m) => m.counters.dispatcher.running],
  [
    'server_calls_waiting',
    'gauge',
    'Calls that wait for a place (the option concurrency).',
    (m) => m.counters.dispatcher.waiting,
  ],
  [
    'server_calls_held',
    'gauge',
    'Calls put off while this process is busy.',
    (m) => m.counters.dispatcher.held,
  ],
  [
    'function_calls_running',
    'gauge',
    'Calls that run, of functions with a limit.',
    (m) => byTag(m, 'running'),
  ],
  [
    'function_calls_waiting',
    'gauge',
    'Calls that wait, of functions with a limit.',
    (m) => byTag(m, 'waiting'),
  ],
  ['threads', 'gauge', 'Worker threads.', (m) => m.threads.alive],
  ['thread_calls_running', 'gauge', 'Calls that run in worker threads.', (m) => m.threads.running],
  ['thread_calls_waiting', 'gauge', 'Calls that wait for a worker thread.', (m) => m.threads.waiting],
  ['threads_started', 'counter', 'Worker threads that were started.', (m) => m.threads.started],
  [
    'threads_lost',
    'counter',
    'Worker threads that crashed, or were killed as their function did not stop.',
    ({ threads: { crashed, killed } }) => by('why', { crashed, killed }),
  ],
  ['streams_open', 'gauge', 'Open streams, in both directions.', (m) => m.streams],
  ['events_emitted', 'counter', 'Events that this peer emitted.', (m) => m.counters.events.emitted],
  ['events_sent', 'counter', 'Events sent, once for each subscriber.', (m) => m.counters.events.sent],
  ['events_dropped', 'counter', 'Events not sent to a slow subscriber.', (m) => m.counters.events.dropped],
  ['events_queued', 'gauge', 'Events that wait for slow subscribers.', (m) => m.counters.events.queued],
  [
    'events_received',
    'counter',
    'Events that arrived for a subscription.',
    (m) => m.counters.events.received,
  ],
  ['event_gaps', 'counter', 'How often events were missed here.', (m) => m.counters.events.gaps],
  [
    'peers',
    'gauge',
    'Other peers, by the state of their connection.',
    (m) => by('state', { open: 0, suspect: 0, ...m.peers }),
  ],
  ['peer_joins', 'counter', 'Peers that joined.', (m) => m.joins],
  ['peer_leaves', 'counter', 'Peers that left, by why.', (m) => by('why', m.leaves)],
  ['connections_open', 'gauge', 'Open connections.', (m) => m.links.open],
  ['connections_opened', 'counter', 'Connections that were opened.', (m) => m.links.opened],
  ['connections_reopened', 'counter', 'Connections opened after one was lost.', (m) => m.links.reopened],
  ['sent_bytes', 'counter', 'Written: characters of text and bytes of binary messages.', (m) => m.links.sent],
  [
    'received_bytes',
    'counter',
    'Arrived: characters of text and bytes of binary messages.',
    (m) => m.links.received,
  ],
  [
    'event_loop_delay_seconds',
    'gauge',
    'Delay of due tasks, since the last reading.',
    ({ loop: { median, p99, max } }) => by('stat', { median, p99, max }),
  ],
  [
    'event_loop_busy_ratio',
    'gauge',
    'Share of the time in which the loop was busy.',
    (m) => m.loop.utilization,
  ],
  ['resident_memory_bytes', 'gauge', 'Resident memory of the process.', (m) => m.memory],
  ['uptime_seconds', 'gauge', 'How long ago the peer was made.', (m) => m.uptime],
];
