import { SpanKind, context, propagation, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { expect } from 'chai';

import { current } from '../../src/index.ts';
import type { Peer, RemotePeer } from '../../src/index.ts';
import { instrument } from '../../src/otel.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';

describe('instrument()', () => {
  const stage = new Stage();
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const ends: (() => void)[] = [];
  let a: Peer;
  let b: Peer;
  let toB: RemotePeer;

  before(() => provider.register());

  beforeEach(async () => {
    ({ a, b, toB } = await stage.pair({ network: new MemoryNetwork() }));
    b.connect('trace', async () => {
      await Promise.resolve();
      return [current().trace?.['traceparent'], trace.getSpanContext(context.active())?.traceId];
    });
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

  const begin = (...options: Parameters<typeof instrument>): (() => void) => {
    const end = instrument(...options);
    ends.push(end);
    return end;
  };

  it('makes spans of both sides until it is ended', async () => {
    const end = begin();
    const [traceparent, inside] = (await toB.call('trace')) as [string, string];
    await eventually(() => exporter.getFinishedSpans().length === 2);
    const [one, two] = exporter.getFinishedSpans();
    expect([one!.kind, two!.kind]).to.have.members([SpanKind.CLIENT, SpanKind.SERVER]);
    expect(inside).to.equal(one!.spanContext().traceId);
    expect(traceparent).to.include(inside);
    end();
    expect(await toB.call('trace')).to.deep.equal([undefined, undefined]);
    expect(exporter.getFinishedSpans()).to.have.length(2);
  });

  it('with sample begins no trace for the others, but keeps one that is there', async () => {
    begin({ sample: 0 });
    expect(((await toB.call('trace')) as unknown[])[0]).to.equal(undefined);
    expect(exporter.getFinishedSpans()).to.deep.equal([]);
    await trace.getTracer('spec').startActiveSpan('outer', async (span) => {
      const [, inside] = (await toB.call('trace')) as [string, string];
      expect(inside).to.equal(span.spanContext().traceId);
      span.end();
    });
    await eventually(() => exporter.getFinishedSpans().length === 3);
  });

  it('with sample begins a trace for that share of the calls', async () => {
    begin({ sample: 0.25 });
    for (let round = 0; round < 20; round += 1)
      await Promise.all(Array.from({ length: 100 }, () => toB.call('trace')));
    const of = (which: SpanKind): number =>
      exporter.getFinishedSpans().filter(({ kind }) => kind === which).length;
    // 500, give or take six times the standard deviation of 19.
    expect(of(SpanKind.CLIENT)).to.be.within(384, 616);
    expect(of(SpanKind.SERVER)).to.equal(of(SpanKind.CLIENT));
  });

  it('with a peer sees only what concerns that peer', async () => {
    begin({ peer: a });
    await toB.call('trace');
    await eventually(() => exporter.getFinishedSpans().length === 1);
    expect(exporter.getFinishedSpans()[0]!.kind).to.equal(SpanKind.CLIENT);
  });

  it('without a tracer makes no spans, and needs no meter provider', async () => {
    begin({ tracer: false });
    begin({ tracer: false, meter: false });
    expect(await toB.call('trace')).to.deep.equal([undefined, undefined]);
    expect(await failure(toB.call('missing'))).to.be.instanceOf(Error);
    expect(exporter.getFinishedSpans()).to.deep.equal([]);
  });

  it('does not link an event to a trace that it was not emitted in', async () => {
    begin();
    const seen: unknown[] = [];
    b.event('done').subscribe((_, event) => seen.push(event.trace));
    await a.event('done').ready();
    a.event('done').emit(1);
    await eventually(() => seen.length === 1);
    expect(seen).to.deep.equal([undefined]);
    expect(exporter.getFinishedSpans()).to.deep.equal([]);
  });

  it('does no harm when the tracer, its spans or the propagator fail', async () => {
    const fails = (what: string) => (): never => {
      throw new Error(what);
    };
    b.connect('plain', () => 1);
    await a.peers.ready('plain');
    const span = provider.getTracer('x').startSpan('x');
    const broken: Record<string, unknown>[] = [
      'end',
      'isRecording',
      'setAttributes',
      'addEvent',
      'spanContext',
    ].map((name) => Object.create(span, { [name]: { value: fails(name) } }) as Record<string, unknown>);
    const tracers = [
      { startSpan: fails('startSpan') },
      { startSpan: () => null },
      ...broken.map((each) => ({ startSpan: () => each })),
    ];
    for (const tracer of tracers) {
      const end = begin({ tracer: tracer as never, meter: false });
      expect(await toB.call('plain')).to.equal(1);
      expect(await a.remote('plain').any()()).to.equal(1);
      end();
    }
    propagation.disable();
    propagation.setGlobalPropagator({ inject: fails('inject'), extract: fails('extract'), fields: () => [] });
    try {
      const end = begin({ meter: false });
      expect(await toB.call('plain')).to.equal(1);
      end();
    } finally {
      propagation.disable();
      provider.register();
    }
  });

  it('refuses options that are wrong', () => {
    expect(() => instrument({ trace: true } as object)).to.throw(TypeError, 'there is no option trace');
    expect(() => instrument({ sample: 2 })).to.throw(TypeError, 'sample');
    expect(() => instrument({ sample: NaN })).to.throw(TypeError, 'sample');
    expect(() => instrument({ peer: 'a' as unknown as Peer })).to.throw(TypeError, 'peer');
  });
});
