import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { eventually } from '../support/eventually.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import type { ReceivedSpan } from '../support/otlp-receiver.ts';
import { Stage } from '../support/peers.ts';
import { LIBRARY, Processes, REPOSITORY } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

/** Loads the official SDK, and this library's instrumentation. */
const TRACING = join(REPOSITORY, 'spec/support/tracing.js');

const A = `
import { context, propagation, trace } from '@opentelemetry/api';
import { connect, peers, remote, serve } from 'app-net';

connect('a.note', (text) => text.length);
const step = remote('b.step');
const double = remote('b.double');
await peers.ready('b.step');
await peers.ready('c.lines');
await peers.ready('b.double');
const tracer = trace.getTracer('a');
const work = async (name, run) => tracer.startActiveSpan(name, async (span) => {
  try {
    const result = await run();
    console.log(JSON.stringify({ name, result, traceId: span.spanContext().traceId }));
  } finally {
    span.end();
  }
});
await work('chain', () => {
  const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
  return context.with(propagation.setBaggage(context.active(), baggage), () => step.any()('x'));
});
await work('map', async () => {
  let sum = 0;
  for await (const { value } of double.map([1, 2, 3])) sum += value;
  return sum;
});
await work('all', async () => {
  let count = 0;
  for await (const { status } of double.all()(4)) count += status === 'fulfilled';
  return count;
});
await work('fails', () => remote('b.fails').any()().catch((error) => error.message));
await work('repeated', () => {
  const busy = remote('b.busy').any({}, { deadline: 10_000 });
  return Promise.all([busy(), busy()]);
});
await serve();
`;

const B = `
import { propagation, context } from '@opentelemetry/api';
import { connect, event, getPeers, remote, serve } from 'app-net';

const lines = remote('c.lines');
const done = event('b.done');
connect('b.step', async function step(text) {
  await done.ready();
  const read = [];
  for await (const line of lines.any()(3)) read.push(line);
  done.emit(text);
  const tenant = propagation.getBaggage(context.active())?.getEntry('tenant')?.value;
  return { read, tenant };
});
connect('b.double', (n) => n * 2);
connect('b.fails', () => { throw new RangeError('no such thing'); });
connect('b.busy', () => new Promise((resolve) => setTimeout(resolve, 50, 'done')), { concurrency: 1, queue: 0 });
await serve();
`;

const C = `
import { connect, event, remote, serve } from 'app-net';

const note = remote('a.note');
connect('c.lines', async function* lines(count) {
  for (let n = 0; n < count; n += 1) {
    if (n === 1) await note.any()('between');
    yield n;
  }
});
event('b.done').subscribe(async (text) => {
  await Promise.resolve();
  await note.any()(text);
});
await serve();
`;

const SERVER = 2;
const CLIENT = 3;
const CONSUMER = 5;

describe('OpenTelemetry with the official SDK, in three processes', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let receiver: OtlpReceiver;
  let a: TestProcess;
  const traceIds = new Map<string, string>();
  const results = new Map<string, unknown>();

  before(async () => {
    receiver = await OtlpReceiver.open();
    const folder = await stage.folder();
    await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
    const start = async (name: string, script: string): Promise<TestProcess> => {
      const file = join(folder, `${name}.mjs`);
      await writeFile(file, script.replaceAll("'app-net'", `'${LIBRARY}'`));
      return processes.run(folder, ['--import', TRACING, file], { OTLP: `${receiver.url}/${name}` });
    };
    await start('b', B);
    await start('c', C);
    a = await start('a', A);
    for (const name of ['chain', 'map', 'all', 'fails', 'repeated']) {
      const line = await a.line<{ name: string; result: unknown; traceId: string }>(
        (each) => each.name === name,
        30_000,
      );
      traceIds.set(name, line.traceId);
      results.set(name, line.result);
    }
  });

  after(async () => {
    await processes.clear();
    await receiver.close();
    await stage.clear();
  });

  const of = (name: string): ReceivedSpan[] =>
    receiver.spans.filter(({ traceId }) => traceId === traceIds.get(name));
  const find = (trace: string, service: string, name: string, kind: number): ReceivedSpan[] =>
    of(trace).filter((each) => each.service === service && each.name === name && each.kind === kind);
  const one = async (trace: string, service: string, name: string, kind: number): Promise<ReceivedSpan> => {
    await eventually(() => {
      expect(find(trace, service, name, kind), `${service} ${name} ${kind}`).to.have.length(1);
    });
    return find(trace, service, name, kind)[0]!;
  };

  it('makes one trace of a call through any, a stream, an event and nested calls', async () => {
    expect(results.get('chain')).to.deep.equal({ read: [0, 1, 2], tenant: 'acme' });
    const [root] = await eventuallyOf(() => of('chain').filter(({ name }) => name === 'chain'));
    const step = await one('chain', 'a', 'b.step', CLIENT);
    const stepThere = await one('chain', 'b', 'b.step', SERVER);
    const lines = await one('chain', 'b', 'c.lines', CLIENT);
    const linesThere = await one('chain', 'c', 'c.lines', SERVER);
    const listener = await one('chain', 'c', 'process b.done', CONSUMER);
    await eventually(() => {
      expect(find('chain', 'c', 'a.note', CLIENT)).to.have.length(2);
      expect(find('chain', 'a', 'a.note', SERVER)).to.have.length(2);
    });
    const notes = find('chain', 'c', 'a.note', CLIENT);
    const notesThere = find('chain', 'a', 'a.note', SERVER);

    expect(step.parentSpanId).to.equal(root!.spanId);
    expect(stepThere.parentSpanId).to.equal(step.spanId);
    expect(lines.parentSpanId).to.equal(stepThere.spanId);
    expect(linesThere.parentSpanId).to.equal(lines.spanId);
    expect(listener.parentSpanId).to.equal(stepThere.spanId);
    expect(listener.links).to.have.length(1);
    expect(listener.links[0]).to.include({ traceId: root!.traceId, spanId: stepThere.spanId });
    // One note between the values of the stream, one from the listener.
    expect(notes.map(({ parentSpanId }) => parentSpanId)).to.have.members([
      linesThere.spanId,
      listener.spanId,
    ]);
    expect(notesThere.map(({ parentSpanId }) => parentSpanId)).to.have.members(
      notes.map(({ spanId }) => spanId),
    );
    // Everything is in it, and nothing else.
    expect(of('chain')).to.have.length(10);
  });

  it('gives each span the attributes of the conventions', async () => {
    const step = await one('chain', 'a', 'b.step', CLIENT);
    const there = await one('chain', 'b', 'b.step', SERVER);
    const rpc = { 'rpc.system.name': 'app-net', 'rpc.method': 'b.step', 'rpc.status_code': 'OK' };
    expect(step.attributes).to.include({ ...rpc, 'app_net.ran': 'yes', 'app_net.call': 'any' });
    expect(step.attributes['server.address']).to.be.a('string');
    expect(Number(step.attributes['app_net.attempts'])).to.equal(1);
    expect(there.attributes).to.include(rpc);
    expect(there.attributes['client.address']).to.be.a('string');
    expect(step.attributes).to.not.have.property('error.type');
    expect(step.events.map(({ name }) => name)).to.deep.equal(['attempt']);
    const listener = await one('chain', 'c', 'process b.done', CONSUMER);
    expect(listener.attributes).to.include({
      'messaging.system': 'app-net',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'b.done',
    });
  });

  it('lets the span of a stream last until the stream is over', async () => {
    const lines = await one('chain', 'b', 'c.lines', CLIENT);
    const there = await one('chain', 'c', 'c.lines', SERVER);
    const note = find('chain', 'c', 'a.note', CLIENT).find(
      ({ parentSpanId }) => parentSpanId === there.spanId,
    );
    expect(lines.end).to.be.at.least(note!.end);
    expect(there.end).to.be.at.least(note!.end);
  });

  it('makes a span of each input of map, below the span that is active around the loop', async () => {
    expect(results.get('map')).to.equal(12);
    await eventually(() => expect(find('map', 'a', 'b.double', CLIENT)).to.have.length(3));
    const [root] = await eventuallyOf(() => of('map').filter(({ name }) => name === 'map'));
    for (const span of find('map', 'a', 'b.double', CLIENT)) {
      expect(span.parentSpanId).to.equal(root!.spanId);
      expect(span.attributes).to.include({ 'app_net.call': 'map', 'rpc.status_code': 'OK' });
    }
  });

  it('makes a span of each call of all', async () => {
    expect(results.get('all')).to.equal(1);
    const [root] = await eventuallyOf(() => of('all').filter(({ name }) => name === 'all'));
    const call = await one('all', 'a', 'b.double', CLIENT);
    expect(call.parentSpanId).to.equal(root!.spanId);
  });

  it('makes one span of a call of any that was repeated, with its attempts as events', async () => {
    expect(results.get('repeated')).to.deep.equal(['done', 'done']);
    await eventually(() => expect(find('repeated', 'a', 'b.busy', CLIENT)).to.have.length(2));
    const spans = find('repeated', 'a', 'b.busy', CLIENT);
    const repeated = spans.find(({ attributes }) => Number(attributes['app_net.attempts']) > 1);
    const { events, attributes } = repeated!;
    expect(attributes['rpc.status_code']).to.equal('OK');
    const failed = events.filter(({ name }) => name === 'attempt failed');
    expect(failed.length).to.equal(Number(attributes['app_net.attempts']) - 1);
    expect(failed[0]!.attributes).to.include({ 'rpc.status_code': 'OVERLOADED', 'app_net.ran': 'no' });
    expect(find('repeated', 'b', 'b.busy', SERVER)).to.have.length(2);
  });

  it('says why a call failed', async () => {
    expect(results.get('fails')).to.equal('no such thing');
    for (const span of [
      await one('fails', 'a', 'b.fails', CLIENT),
      await one('fails', 'b', 'b.fails', SERVER),
    ]) {
      expect(span.failed).to.equal(true);
      expect(span.attributes).to.include({
        'rpc.status_code': 'ERROR',
        'error.type': 'RangeError',
        'app_net.ran': 'yes',
      });
    }
  });

  it('records the durations of calls in s, without ids of peers', async () => {
    const points = (name: string, method: string) =>
      receiver.histograms
        .filter((each) => each.name === name)
        .flatMap((each) => each.points)
        .filter(({ attributes }) => attributes['rpc.method'] === method);
    await eventually(() => {
      expect(points('rpc.client.call.duration', 'b.step')).to.not.be.empty;
      expect(points('rpc.server.call.duration', 'b.step')).to.not.be.empty;
    });
    const [point] = points('rpc.client.call.duration', 'b.step');
    expect(point!.count).to.equal(1);
    expect(point!.sum).to.be.within(0.000_1, 20);
    expect(point!.bounds).to.deep.equal([
      0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]);
    expect(point!.attributes).to.deep.equal({
      'rpc.system.name': 'app-net',
      'rpc.method': 'b.step',
      'rpc.status_code': 'OK',
      'app_net.ran': 'yes',
    });
    expect(receiver.histograms.find((each) => each.name === 'rpc.client.call.duration')!.unit).to.equal('s');
  });
});

async function eventuallyOf<T>(list: () => T[]): Promise<T[]> {
  await eventually(() => list().length > 0);
  return list();
}
