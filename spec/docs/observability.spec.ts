import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';

import { createPeer, metricsText } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { checkRules, needPrometheus } from '../support/promtool.ts';

const file = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
const read = (name: string): string => readFileSync(file(name), 'utf8');

describe('docs/observability', () => {
  /** Every metric that there is. */
  let metrics: Set<string>;

  before(async () => {
    await using peer = createPeer({ network: new MemoryNetwork() });
    const series = { tag: 'x', code: 'OK', ran: 'yes', count: 0, seconds: 0, buckets: [] } as const;
    const numbers = {
      ...peer.metrics(),
      made: [{ ...series, buckets: [] }],
      ran: [{ ...series, buckets: [] }],
      work: [{ tag: 'x', threads: 0, running: 0, waiting: 0 }],
    };
    const text = metricsText(numbers);
    metrics = new Set([...text.matchAll(/^(app_net_\w+)/gm)].map(([, name]) => name!));
    for (const side of ['client', 'server']) metrics.add(`app_net_${side}_call_duration_seconds_bucket`);
  });

  const namesIn = (text: string): string[] => [...new Set(text.match(/\bapp_net_[a-z0-9_]+/g))];

  it('has alert rules that promtool accepts', function () {
    needPrometheus(this);
    expect(checkRules(file('observability/alerts.yml'))).to.match(/SUCCESS: \d+ rules found/);
  });

  it('uses no metric that there is not', () => {
    for (const name of ['observability/alerts.yml', 'observability/dashboard.json']) {
      const text = read(name).replaceAll('app_net_(client|server)_call_duration_seconds_count', '');
      expect(
        namesIn(text).filter((each) => !metrics.has(each)),
        name,
      ).to.deep.equal([]);
    }
  });

  it('has a dashboard that is JSON, with queries in all panels', () => {
    const { panels } = JSON.parse(read('observability/dashboard.json')) as {
      panels: { title: string; targets: { expr: string }[] }[];
    };
    expect(panels.length).to.be.at.least(10);
    for (const { title, targets } of panels)
      for (const { expr } of targets) expect(expr, title).to.include('app_net_');
  });

  it('lists every metric on the page', () => {
    const page = read('observability.md').replaceAll(
      /`(app_net_\w+?)_emitted_total`((?:, `_\w+`)+)/g,
      (_, head, rest) => {
        const others = String(rest).replaceAll('`_', `\`${String(head)}_`);
        return `\`${String(head)}_emitted_total\`${others}`;
      },
    );
    const missing = [...metrics].filter((name) => !page.includes(name.replace(/_(bucket|sum|count)$/, '')));
    expect(missing).to.deep.equal([]);
  });
});
