import { BUCKETS } from '../calls/call-stats.ts';
import type { CallSeries, PeerMetrics } from '../presence/set/peer-metrics.ts';
import type { Peer } from '../peer/peer.ts';
import { ROWS } from './metrics-table.ts';
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
  options: MetricsTextOptions = {},
): string {
  const { format = 'prometheus', labels = {} } = options;
  if (typeof what !== 'object' || what === null || !('metrics' in what || 'made' in what))
    throw new TypeError('metricsText: give a peer, or the numbers that its metrics() returns');
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
  calls(
    'client',
    'Calls that this peer made, until the answer or the end of the stream.',
    ({ made }) => made,
  );
  calls('server', 'Calls that this peer ran for others or refused.', ({ ran }) => ran);
  for (const [name, type, help, read] of ROWS) {
    to.begin(`app_net_${name}`, type, help);
    each((metrics, labels) => {
      const values = read(metrics);
      if (typeof values === 'number') to.value(labels, values);
      else for (const [more, value] of values) to.value({ ...labels, ...more }, value);
    });
  }
  return to.end();
}
