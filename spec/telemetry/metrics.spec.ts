import { expect } from 'chai';

import { metricsText } from '../../src/index.ts';
import type { CallSeries, Peer, PeerMetrics, RemotePeer } from '../../src/index.ts';
import { Sum } from '../../src/telemetry/fleet.ts';
import { textOf } from '../../src/telemetry/metrics-text.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';
import { connectThreads } from '../support/thread-functions.ts';
import { checkMetrics, needPrometheus } from '../support/promtool.ts';

describe('the metrics of a peer', () => {
  const stage = new Stage();
  let a: Peer;
  let b: Peer;
  let toB: RemotePeer;

  beforeEach(async () => {
    ({ a, b, toB } = await stage.pair({ network: new MemoryNetwork() }));
    b.connect('math.add', (x: number, y: number) => x + y);
    b.connect('math.wait', async () => 1);
    b.connect('math.fails', () => {
      throw new RangeError('no');
    });
    b.connect('math.count', async function* count(to: number) {
      for (let n = 0; n < to; n += 1) yield n;
    });
  });

  afterEach(() => stage.clear());

  const of = (list: CallSeries[], tag: string): CallSeries[] => list.filter((each) => each.tag === tag);
  const short = ({ code, ran, count }: CallSeries): [string, string, number] => [code, ran, count];

  it('count calls by function, code and ran, from the first time that somebody asks', async () => {
    await toB.call('math.add', [1, 2]);
    expect(a.metrics().made).to.deep.equal([]);
    expect(b.metrics().ran).to.deep.equal([]);
    for (let round = 0; round < 3; round += 1) await toB.call('math.add', [1, 2]);
    await toB.call('math.wait');
    await failure(toB.call('math.fails'));
    await failure(toB.call('missing'));
    for await (const _ of toB.stream('math.count', [5]));
    const { made } = a.metrics();
    const { ran } = b.metrics();
    for (const list of [made, ran]) {
      expect(of(list, 'math.add').map(short)).to.deep.equal([['OK', 'yes', 3]]);
      expect(of(list, 'math.wait').map(short)).to.deep.equal([['OK', 'yes', 1]]);
      expect(of(list, 'math.fails').map(short)).to.deep.equal([['ERROR', 'yes', 1]]);
      expect(of(list, 'math.count').map(short)).to.deep.equal([['OK', 'yes', 1]]);
      for (const { count, buckets } of list) expect(buckets.reduce((x, y) => x + y)).to.equal(count);
    }
    // The caller knows what it asked for. To the called peer it may be any text.
    expect(of(made, 'missing').map(short)).to.deep.equal([['NO_SUCH_TAG', 'no', 1]]);
    expect(of(ran, 'other').map(short)).to.deep.equal([['NO_SUCH_TAG', 'no', 1]]);
    expect(of(made, 'math.add')[0]!.seconds).to.be.within(0, 5);
  });

  it('tell what is there now: calls, streams, peers, connections, bytes', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    b.connect('hangs', () => gate);
    b.connect('streams', async function* streams() {
      yield 1;
      await gate;
    });
    const hanging = toB.call('hangs');
    const stream = toB.stream('streams');
    await stream.next();
    await eventually(() => b.metrics().counters.dispatcher.running === 2);
    const here = a.metrics();
    expect(here.counters.caller.pending).to.equal(2);
    expect(here.streams).to.equal(1);
    expect(b.metrics().streams).to.equal(1);
    expect(here.peers).to.deep.equal({ open: 1 });
    expect(here).to.deep.include({ joins: 1, leaves: { stopped: 0, lost: 0, replaced: 0, unreachable: 0 } });
    expect(here.links).to.include({ open: 1, reopened: 0 });
    expect(here.links.sent).to.be.above(50);
    expect(here.links.received).to.be.above(10);
    release();
    await hanging;
    await b.stop();
    await eventually(() => a.metrics().leaves.stopped === 1);
    const after = a.metrics();
    expect(after.links.open).to.equal(0);
    expect(after.links.sent).to.be.at.least(here.links.sent);
    expect(after.peers).to.deep.equal({});
  });

  it('are told to other peers', async () => {
    await toB.metrics();
    await toB.call('math.add', [1, 2]);
    const { ran } = await toB.metrics();
    expect(of(ran, 'math.add').map(short)).to.deep.equal([['OK', 'yes', 1]]);
    expect(b.functions).to.not.include('net.metrics');
  });

  it('become text that promtool accepts, in both formats', async function () {
    needPrometheus(this);
    a.metrics();
    b.connect('odd "name"\n\\ \u{d800}', () => 1);
    await toB.call('odd "name"\n\\ \u{d800}');
    await toB.call('math.add', [1, 2]);
    await failure(toB.call('math.fails'));
    const text = metricsText(a, { labels: { service: 'a "shop"' } });
    expect(checkMetrics(text)).to.equal('');
    expect(text).to.match(
      /^app_net_client_call_duration_seconds_count\{.*tag="math\.add".*code="OK".*\} 1$/m,
    );
    expect(text).to.match(/^app_net_peer_joins_total\{service="a \\"shop\\""\} 1$/m);
    expect(text).to.not.include(b.id);
    const open = metricsText(a, { format: 'openmetrics' });
    expect(open.endsWith('# EOF\n')).to.equal(true);
    expect(open)
      .to.include('# TYPE app_net_peer_joins counter\n')
      .and.to.include('app_net_peer_joins_total ');
    expect(open).to.include('le="1.0"').and.to.include('le="+Inf"');
  });

  it('tell of functions with a limit, and of threads', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    b.connect('one.at.a.time', () => gate, { concurrency: 1 });
    const near = connectThreads(b, { kill: 0 });
    const calls = [toB.call('one.at.a.time'), toB.call('one.at.a.time')];
    await near.add.thread()(1, 2);
    await failure(near.spin.thread({ deadline: 20 })(60_000));
    await eventually(() => {
      const { work, threads } = b.metrics();
      expect(work).to.deep.include({ tag: 'one.at.a.time', running: 1, waiting: 1, threads: 0 });
      expect(threads).to.include({ running: 0, waiting: 0, crashed: 0, killed: 1 });
      expect(threads.started).to.be.at.least(2);
    });
    const text = metricsText(b);
    expect(text).to.match(/^app_net_function_calls_waiting\{tag="one\.at\.a\.time"\} 1$/m);
    expect(text).to.match(/^app_net_threads_lost_total\{why="killed"\} 1$/m);
    expect(text).to.match(/^app_net_threads 1$/m);
    const sum = new Sum();
    sum.add(b.metrics());
    sum.add(b.metrics(), true);
    expect(sum.metrics.work).to.deep.include({ tag: 'one.at.a.time', running: 1, waiting: 1, threads: 0 });
    expect(sum.metrics.threads).to.include({ alive: 1, killed: 2 });
    release();
    await Promise.all(calls);
  });

  it('refuse a format and a label that are wrong', () => {
    for (const wrong of [{}, 5, null])
      expect(() => metricsText(wrong as never)).to.throw(
        TypeError,
        'metricsText: give a peer, or the numbers',
      );
    expect(() => metricsText(a, { format: 'json' as 'prometheus' })).to.throw(TypeError, 'format');
    expect(() => metricsText(a, { labels: { 'a-b': 'c' } })).to.throw(TypeError, 'labels');
  });

  it('stay small with 10,000 functions: those beyond the first 1,000 are other', async () => {
    a.metrics();
    b.metrics();
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`f${index}`, () => index]));
    for (const [tag, fn] of Object.entries(many)) b.connect(tag, fn);
    const before = process.memoryUsage().heapUsed;
    await Promise.all(Object.keys(many).map((tag) => toB.call(tag)));
    for (const list of [a.metrics().made, b.metrics().ran]) {
      expect(new Set(list.map(({ tag }) => tag)).size).to.equal(1_001);
      expect(of(list, 'other').map(short)).to.deep.equal([['OK', 'yes', 9_000]]);
    }
    expect(metricsText(b).length).to.be.below(4_000_000);
    expect(process.memoryUsage().heapUsed - before).to.be.below(100 * 1024 * 1024);
  });

  describe('of several peers', () => {
    it('are added up, and those of a peer that is gone only as far as they are counts', async () => {
      a.metrics();
      await toB.call('math.add', [1, 2]);
      const sum = new Sum();
      sum.add(a.metrics());
      sum.add(a.metrics(), true);
      expect(of(sum.metrics.made, 'math.add').map(short)).to.deep.equal([['OK', 'yes', 2]]);
      expect(sum.metrics.joins).to.equal(2);
      expect(sum.metrics.peers).to.deep.equal({ open: 1 });
      expect(sum.metrics.links.open).to.equal(1);
    });

    it('are read whatever a peer tells', function () {
      needPrometheus(this);
      const series = { tag: 'x'.repeat(9_999), code: 'OK', ran: 'yes', count: 1, seconds: 1, buckets: [1] };
      const lies: unknown[] = [
        undefined,
        null,
        7,
        'x',
        [],
        { made: 7, ran: [null, 7, {}, series, { ...series, code: 'a"b' }, { ...series, ran: 'x' }] },
        { made: Array.from({ length: 5_000 }, (_, index) => ({ ...series, tag: `f${index}` })) },
        {
          counters: { caller: { pending: NaN } },
          links: { open: -5 },
          peers: { 'a"b': 1, open: 'x' },
          joins: {},
        },
        { leaves: { lost: Infinity }, loop: 7, memory: 1n, uptime: '5' },
        {
          threads: { alive: -1, killed: 'x' },
          work: [7, null, { tag: 5, running: 'x' }, { tag: 'a"b', running: 1 }],
        },
        { work: Array.from({ length: 5_000 }, (_, index) => ({ tag: `w${index}`, running: 1 })) },
      ];
      const sum = new Sum();
      for (const each of lies) sum.add(each);
      expect(new Set(sum.metrics.made.map(({ tag }) => tag)).size).to.be.at.most(1_001);
      expect(sum.metrics.work).to.have.length.at.most(1_001);
      const metrics: PeerMetrics = sum.metrics;
      expect(checkMetrics(textOf([{ metrics, labels: { group: 'main' } }], 'prometheus'))).to.equal('');
    });
  });
});
