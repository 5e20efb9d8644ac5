import { BUCKETS } from '../calls/call-stats.ts';
import type { CallSeries, PeerMetrics } from '../presence/peer-metrics.ts';
import type { Peer } from '../peer/peer.ts';
import { MetricsWriter } from './metrics-writer.ts';
import type { Labels } from './metrics-writer.ts';

/** Writes the numbers of peers as text for Prometheus. */

/**
 * Options of `metricsText`.
 *
 * @example
 * metricsText(createPeer(), { format: 'openmetrics', labels: { service: 'shop' } });
 */
export interface MetricsTextOptions {
  /**
   * `prometheus`: its text format 0.0.4, with the content type `text/plain; version=0.0.4`. `openmetrics`: OpenMetrics 1.0, with
   * `application/openmetrics-text; version=1.0.0`. Default: `prometheus`, which every scraper reads.
   */
  format?: 'prometheus' | 'openmetrics' | undefined;
  /** Labels that each line gets. */
  labels?: Readonly<Record<string, string>> | undefined;
}

/**
 * Returns the numbers of a peer as text that Prometheus scrapes. The first call begins to count calls.
 * @param what a peer, or its numbers from `metrics()`
 * @throws TypeError for a wrong format or label
 *
 * @example
 * import { createServer } from 'node:http';
 *
 * const peer = createPeer({ name: 'render-1' });
 * createServer((_, response) => response.end(metricsText(peer))).listen(9_464, '127.0.0.1');
 */
export function metricsText(
  what: Pick<Peer, 'metrics'> | PeerMetrics,
  { format = 'prometheus', labels = {} }: MetricsTextOptions = {},
): string {
  const metrics = 'metrics' in what ? what.metrics() : what;
  return textOf([{ metrics, labels }], format);
}

/** The numbers of several peers. Their labels must tell them apart. */
export function textOf(
  peers: readonly { metrics: PeerMetrics; labels: Labels }[],
  format: 'prometheus' | 'openmetrics',
): string {
  const to = new MetricsWriter(format);
  const each = (write: (metrics: PeerMetrics, labels: Labels) => void): void => {
    for (const { metrics, labels } of peers) write(metrics, labels);
  };
  const calls = (
    side: 'client' | 'server',
    help: string,
    list: (metrics: PeerMetrics) => CallSeries[],
  ): void => {
    to.begin(`app_net_${side}_call_duration_seconds`, 'histogram', help);
    each((metrics, labels) => {
      for (const { tag, code, ran, count, seconds, buckets } of list(metrics)) {
        to.histogram({ ...labels, tag, code, ran }, BUCKETS, buckets, count, seconds);
      }
    });
  };
  const one = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    read: (metrics: PeerMetrics) => number,
  ): void => {
    to.begin(name, type, help);
    each((metrics, labels) => to.value(labels, read(metrics)));
  };
  calls(
    'client',
    'Calls that this peer made, until the answer or the end of the stream.',
    ({ made }) => made,
  );
  calls('server', 'Calls that this peer ran for others or refused.', ({ ran }) => ran);
  one(
    'app_net_client_calls_in_flight',
    'gauge',
    'Calls sent and not answered.',
    (m) => m.counters.caller.pending,
  );
  one(
    'app_net_client_calls_waiting',
    'gauge',
    'Calls that wait here for room.',
    (m) => m.counters.caller.waiting,
  );
  one(
    'app_net_server_calls_running',
    'gauge',
    'Calls whose function runs.',
    (m) => m.counters.dispatcher.running,
  );
  one(
    'app_net_server_calls_waiting',
    'gauge',
    'Calls that wait for a place (the option concurrency).',
    (m) => m.counters.dispatcher.waiting,
  );
  one(
    'app_net_server_calls_held',
    'gauge',
    'Calls put off while this process is busy.',
    (m) => m.counters.dispatcher.held,
  );
  one('app_net_streams_open', 'gauge', 'Open streams, in both directions.', (m) => m.streams);
  one(
    'app_net_events_emitted',
    'counter',
    'Events that this peer emitted.',
    (m) => m.counters.events.emitted,
  );
  one(
    'app_net_events_sent',
    'counter',
    'Events sent, once for each subscriber.',
    (m) => m.counters.events.sent,
  );
  one(
    'app_net_events_dropped',
    'counter',
    'Events not sent to a slow subscriber.',
    (m) => m.counters.events.dropped,
  );
  one(
    'app_net_events_queued',
    'gauge',
    'Events that wait for slow subscribers.',
    (m) => m.counters.events.queued,
  );
  one(
    'app_net_events_received',
    'counter',
    'Events that arrived for a subscription.',
    (m) => m.counters.events.received,
  );
  one('app_net_event_gaps', 'counter', 'How often events were missed here.', (m) => m.counters.events.gaps);
  to.begin('app_net_peers', 'gauge', 'Other peers, by the state of their connection.');
  each(({ peers: states }, labels) => {
    for (const [state, count] of Object.entries({ open: 0, suspect: 0, ...states }))
      to.value({ ...labels, state }, count);
  });
  one('app_net_peer_joins', 'counter', 'Peers that joined.', (m) => m.joins);
  to.begin('app_net_peer_leaves', 'counter', 'Peers that left, by why.');
  each(({ leaves }, labels) => {
    for (const [why, count] of Object.entries(leaves)) to.value({ ...labels, why }, count);
  });
  one('app_net_connections_open', 'gauge', 'Open connections.', (m) => m.links.open);
  one('app_net_connections_opened', 'counter', 'Connections that were opened.', (m) => m.links.opened);
  one(
    'app_net_connections_reopened',
    'counter',
    'Connections opened after one was lost.',
    (m) => m.links.reopened,
  );
  one(
    'app_net_sent_bytes',
    'counter',
    'Written: characters of text and bytes of binary messages.',
    (m) => m.links.sent,
  );
  one(
    'app_net_received_bytes',
    'counter',
    'Arrived: characters of text and bytes of binary messages.',
    (m) => m.links.received,
  );
  to.begin('app_net_event_loop_delay_seconds', 'gauge', 'Delay of due tasks, since the last reading.');
  each(({ loop }, labels) => {
    const { median, p99, max } = loop;
    for (const [stat, delay] of Object.entries({ median, p99, max })) to.value({ ...labels, stat }, delay);
  });
  one(
    'app_net_event_loop_busy_ratio',
    'gauge',
    'Share of the time in which the loop was busy.',
    (m) => m.loop.utilization,
  );
  one('app_net_resident_memory_bytes', 'gauge', 'Resident memory of the process.', (m) => m.memory);
  one('app_net_uptime_seconds', 'gauge', 'How long ago the peer was made.', (m) => m.uptime);
  return to.end();
}
