import { ROOT_CONTEXT, TraceFlags, context, propagation, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { expect } from 'chai';

import { current } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import { instrument } from '../../src/otel.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { Stage, meet } from '../support/peers.ts';

describe('instrument({ sample }): one decision for everything that a call leads to', () => {
  const stage = new Stage();
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const ends: (() => void)[] = [];
  let a: Peer;
  let b: Peer;
  let c: Peer;
  let heard: (string | undefined)[];

  before(() => provider.register());

  beforeEach(async () => {
    const network = new MemoryNetwork();
    [a, b, c] = ['a', 'b', 'c'].map((name) => stage.make({ name, network })) as [Peer, Peer, Peer];
    await Promise.all([a.start(), b.start(), c.start()]);
    heard = [];
    const query = (): void => trace.getTracer('database').startSpan('query').end();
    const traceId = (): string | undefined => current().trace?.['traceparent']?.slice(3, 35);
    c.connect('c.plain', () => traceId());
    c.connect('c.lines', async function* lines() {
      yield traceId();
      query();
      await Promise.resolve();
      yield traceId();
    });
    b.connect('b.plain', () => traceId());
    b.connect('b.step', async () => {
      await Promise.resolve();
      query();
      const seen: unknown[] = [traceId(), await b.remote('c.plain').any()()];
      const [toC] = await meet(b, c.id);
      seen.push(await toC!.call('c.plain'));
      const lines = b.remote<() => AsyncGenerator<string | undefined>>('c.lines');
      for await (const each of lines.any()()) seen.push(each);
      b.event('b.done').emit(1);
      return [...new Set(seen)];
    });
    c.event('b.done').subscribe(async () => {
      await Promise.resolve();
      query();
      heard.push((await c.remote('b.plain').any()()) as string | undefined);
    });
    await b.event('b.done').ready();
    await Promise.all([a.peers.ready('b.step'), b.peers.ready('c.lines'), c.peers.ready('b.plain')]);
  });

  afterEach(async () => {
    for (const end of ends.splice(0)) end();
    exporter.reset();
    await stage.clear();
  });

  after(async () => {
    await provider.shutdown();
    trace.disable();
    context.disable();
    propagation.disable();
  });

  /** @param sample of each peer; `none`: the peer is not instrumented; undefined: the sampler of the SDK decides */
  const begin = (...samples: (number | 'none' | undefined)[]): void => {
    [a, b, c].forEach((peer, index) => {
      const sample = samples[index];
      if (sample !== 'none') ends.push(instrument({ peer, sample }));
    });
  };
  const names = (): string[] => exporter.getFinishedSpans().map(({ name }) => name);

  for (const further of [1, 0, undefined]) {
    it(`makes no span further on for a call that was not chosen, whatever is set there: ${further}`, async () => {
      begin(0, further, further);
      const [toB] = await meet(a, b.id);
      await toB!.call('b.step');
      await a.remote('b.step').any()();
      const step = a.remote<() => Promise<unknown[]>>('b.step');
      for await (const result of step.map([1], { args: () => [] }))
        expect(result.status).to.equal('fulfilled');
      await eventually(() => heard.length === 3);
      expect(names()).to.deep.equal([]);
      // Nor does anything that looks like a trace travel, unless an SDK in between was asked.
      if (further !== undefined) expect(heard).to.deep.equal([undefined, undefined, undefined]);
    });
  }

  it('makes no span behind a process without OpenTelemetry that the call passes', async () => {
    begin(0, 'none', 1);
    expect(await a.remote('b.step').any()()).to.deep.equal([undefined]);
    await eventually(() => heard.length === 1);
    // The process in the middle has no sampling of its own: its query is the only thing that the SDK was asked about.
    expect(names().filter((name) => name !== 'query')).to.deep.equal([]);
  });

  it('makes all spans of a call that was chosen, although nothing else is', async () => {
    begin(1, 0, 0);
    const [toB] = await meet(a, b.id);
    const seen = (await toB!.call('b.step')) as string[];
    expect(seen).to.have.length(1);
    await eventually(() => heard.length === 1);
    expect(heard).to.deep.equal(seen);
    const both = (name: string): string[] => [name, name];
    await eventually(() =>
      expect(names()).to.have.members([
        ...both('b.step'),
        ...both('c.plain'),
        ...both('c.plain'),
        ...both('c.lines'),
        ...both('b.plain'),
        'process b.done',
        'query',
        'query',
        'query',
      ]),
    );
    const ids = new Set(exporter.getFinishedSpans().map((span) => span.spanContext().traceId));
    expect([...ids]).to.deep.equal(seen);
  });

  it('lets a trace that is not sampled travel, without spans', async () => {
    begin(1, 1, 1);
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const outside = { traceId, spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.NONE };
    const inside = trace.setSpanContext(ROOT_CONTEXT, outside);
    const seen = await context.with(inside, async () => a.remote('b.step').any()());
    expect(seen).to.deep.equal([traceId]);
    await eventually(() => heard.length === 1);
    expect(names()).to.deep.equal([]);
  });

  it('begins traces where functions run, for callers that decide nothing', async () => {
    begin('none', 1, 1);
    const [toB] = await meet(a, b.id);
    await toB!.call('b.plain');
    await toB!.call('b.plain');
    expect(names()).to.deep.equal(['b.plain', 'b.plain']);
  });

  it('says what to give instead of a wrong share', () => {
    expect(() => instrument({ sample: 5 })).to.throw(
      TypeError,
      'sample: give a number from 0 to 1; for 5 %, give 0.05',
    );
    for (const wrong of [-0.1, Number.NaN, 1_000, '0.1', null])
      expect(() => instrument({ sample: wrong as number })).to.throw(
        TypeError,
        'sample: give a number from 0 to 1, such as 0.01 for one call in a hundred',
      );
    // @ts-expect-error -- a share is a number
    expect(() => instrument({ sample: '1 %' })).to.throw(TypeError);
  });
});
