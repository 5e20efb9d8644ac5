import { channel } from 'node:diagnostics_channel';

import { expect } from 'chai';

import { thisProcess } from '../../src/base/process/host-process.ts';
import type { Peer, PeerWatch, RemotePeer, WatchedFunction } from '../../src/index.ts';
import { MeasuredCalls } from '../../src/calls/call-stats.ts';
import { Watch } from '../../src/peer/watch/watch.ts';
import { MemoryNetwork, SimulatedClock } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, meet, Stage } from '../support/peers.ts';

describe('a watched peer', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  let a: Peer;
  let b: Peer;
  let toB: RemotePeer;
  let streams: AsyncGenerator<PeerWatch, void, void>[];

  beforeEach(async () => {
    network = new MemoryNetwork();
    streams = [];
    ({ a, b, toB } = await stage.pair({ network }));
    b.connect('math.add', (x: number, y: number) => x + y);
    b.connect('math.fails', () => {
      throw new RangeError('no');
    });
  });

  afterEach(async () => {
    for (const stream of streams) await stream.return();
    await stage.clear();
  });

  function watch(options?: { actors?: boolean }): AsyncGenerator<PeerWatch, void, void> {
    const stream = toB.watch(options);
    streams.push(stream);
    return stream;
  }

  /** Reads on until `find` finds something in a message. */
  async function until<T>(
    stream: AsyncGenerator<PeerWatch, void, void>,
    find: (message: PeerWatch) => T | undefined | false,
  ): Promise<T> {
    for (;;) {
      const { value } = await stream.next();
      if (!value) throw new Error('the stream has ended');
      const found = find(value);
      if (found !== undefined && found !== false) return found;
    }
  }

  const named =
    (tag: string, side = 'ran') =>
    ({ functions }: PeerWatch) =>
      functions.find((each) => each.tag === tag && each.side === side);

  it('tells what there is, and then what happens', async () => {
    const stream = watch();
    const { value } = await stream.next();
    const first = value as PeerWatch;
    expect(first.type).to.equal('snapshot');
    expect(first.about).to.deep.include({
      ...{ id: b.id, name: 'b', group: 'main', pid: process.pid, functions: ['math.add', 'math.fails'] },
    });
    expect(first.links).to.have.length(1);
    expect(first.links![0]).to.deep.include({ id: a.id, name: 'a', state: 'open', relayed: false });
    expect(first.load.peers).to.equal(1);
    const next = await stream.next();
    expect((next.value as PeerWatch).type).to.equal('delta');
  });

  it('counts calls by function, code and ran, with how long they took', async () => {
    const stream = watch();
    await stream.next();
    for (let round = 0; round < 3; round += 1) await toB.call('math.add', [1, 2]);
    await failure(toB.call('math.fails'));
    await failure(toB.call('secret-of-a-stranger'));
    const { functions } = await until(stream, (message) => message.functions.length > 0 && message);
    const of = (tag: string): WatchedFunction => functions.find((each) => each.tag === tag)!;
    expect(of('math.add')).to.include({ side: 'ran', ok: 3 });
    expect(
      of('math.add')
        .times.filter((_, index) => index % 2 === 1)
        .reduce((sum, count) => sum + count),
    ).to.equal(3);
    expect(of('math.fails')).to.deep.include({ ok: 0, failed: { 'ERROR yes': 1 } });
    expect(of('other')).to.deep.include({ ok: 0, failed: { 'NO_SUCH_TAG no': 1 }, times: [] });
    expect(functions.map(({ tag }) => tag))
      .to.not.include('net.watch')
      .and.not.include('secret-of-a-stranger');
  });

  it('tells the calls that it makes, too', async () => {
    const stream = watch();
    await stream.next();
    a.connect('echo', (text: string) => text);
    const [toA] = await meet(b, a.id);
    await toA!.call('echo', ['x']);
    expect(await until(stream, named('echo', 'made'))).to.include({ ok: 1 });
  });

  it('names the calls that are under way for long, the oldest first, and none of their arguments', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    b.connect('hangs', async (_secret: string) => gate);
    b.connect('streams', async function* chunks() {
      yield 'a secret';
      await gate;
    });
    const hanging = toB.call('hangs', ['a secret']);
    const reading = toB.stream('streams', ['a secret']);
    await reading.next();
    const texts: string[] = [];
    const calls = await until(watch(), (message) => {
      texts.push(JSON.stringify(message));
      return message.calls.length === 2 && message.calls;
    });
    expect(calls.map(({ tag, side, state, name }) => [tag, side, state, name])).to.deep.equal([
      ['hangs', 'ran', 'running', 'a'],
      ['streams', 'ran', 'streaming', 'a'],
    ]);
    expect(calls[0]!.age).to.be.at.least(250);
    expect(texts.join()).to.not.include('a secret');
    release();
    await hanging;
    await reading.return(undefined);
  });

  it('tells joins, and leaves with their evidence', async () => {
    const stream = watch();
    await stream.next();
    const c = await stage.make({ network, name: 'c' }).start();
    const join = await until(stream, ({ happened }) => happened.find(({ type }) => type === 'join'));
    expect(join).to.deep.include({ id: c.id, name: 'c', group: 'main' });
    await c.stop();
    const leave = await until(stream, ({ happened }) => happened.find(({ type }) => type === 'leave'));
    expect(leave).to.deep.include({ id: c.id, name: 'c', why: 'stopped' });
    expect((leave as { evidence: string }).evidence).to.include('goodbye');
  });

  it('measures the round trips of its connections', async () => {
    const link = await until(watch(), ({ links }) => links?.find(({ roundTrip }) => roundTrip !== undefined));
    expect(link.id).to.equal(a.id);
    expect(link.roundTrip).to.be.at.least(0);
  });

  it('tells its events with their subscribers, and how many are emitted', async () => {
    const done = b.event('job.done');
    a.event('job.done').subscribe(() => {});
    await done.ready();
    const stream = watch();
    const { value } = await stream.next();
    expect((value as PeerWatch).events).to.deep.equal([
      { name: 'job.done', subscribers: 1, peers: [a.id], sequence: 0, emitted: 0 },
    ]);
    for (let n = 0; n < 5; n += 1) done.emit({ secret: n });
    expect(await until(stream, ({ events }) => events?.find(({ emitted }) => emitted > 0))).to.include({
      emitted: 5,
    });
  });

  it('tells its actors and their states if asked', async () => {
    const stream = watch({ actors: true });
    const { actors } = (await stream.next()).value as PeerWatch;
    expect(actors![0]).to.deep.equal({ name: 'peer', depth: 0, state: 'online' });
    expect(actors).to.deep.include({ name: `connection:${a.id}`, depth: 1, state: 'open' });
    expect(actors).to.deep.include({ name: 'dispatcher', depth: 1, state: 'active' });
    const c = await stage.make({ network, name: 'c' }).start();
    await meet(b, c.id);
    const grown = await until(
      stream,
      ({ actors: now }) => now?.some(({ name }) => name === `connection:${c.id}`) && now,
    );
    expect(grown.length).to.be.above(actors!.length);
    const other = (await watch().next()).value as PeerWatch;
    expect(other.actors).to.equal(undefined);
  });

  it('lets several read at once, and measures nothing before the first and after the last', async () => {
    const gaps = channel('app-net:event:gap');
    expect(gaps.hasSubscribers).to.equal(false);
    const [one, two] = [watch(), watch()];
    await Promise.all([one.next(), two.next()]);
    expect(gaps.hasSubscribers).to.equal(true);
    await toB.call('math.add', [1, 2]);
    expect(await until(one, named('math.add'))).to.include({ ok: 1 });
    expect(await until(two, named('math.add'))).to.include({ ok: 1 });
    await one.return();
    await toB.call('math.add', [1, 2]);
    expect(await until(two, named('math.add'))).to.include({ ok: 1 });
    await two.return();
    await eventually(() => !gaps.hasSubscribers);
  });

  it('counts for metrics and for those who watch at the same time', async () => {
    const stream = watch();
    await stream.next();
    b.metrics();
    await toB.call('math.add', [1, 2]);
    expect(await until(stream, named('math.add'))).to.include({ ok: 1 });
    await stream.return();
    await toB.call('math.add', [1, 2]);
    const counts = b
      .metrics()
      .ran.filter(({ tag }) => tag === 'math.add')
      .map(({ count }) => count);
    expect(counts).to.deep.equal([2]);
  });

  it('gives a reader that falls far behind a snapshot instead of all that it missed', async () => {
    const clock = new SimulatedClock();
    const tick = (times: number): void => {
      for (let time = 0; time < times; time += 1) clock.increment(250);
    };
    const { topics } = b.events;
    const about = { name: 'b', group: 'main', hub: false, host: '', pid: 1, functions: [] };
    const { counters } = b.metrics();
    const watched = new Watch({
      ...{ id: b.id, actor: b.actor, clock, calls: new MeasuredCalls(), topics, describe: () => about },
      ...{ process: thisProcess, peers: () => 1, counters: () => counters, ping: async () => 1 },
    });
    const stream = watched.read();
    streams.push(stream);
    await stream.next();
    tick(30);
    const few = await Promise.all(Array.from({ length: 30 }, () => stream.next()));
    expect(few.map(({ value }) => (value as PeerWatch).type)).to.deep.equal(few.map(() => 'delta'));
    tick(60);
    expect(((await stream.next()).value as PeerWatch).type).to.equal('snapshot');
    const next = stream.next();
    tick(1);
    expect(((await next).value as PeerWatch).type).to.equal('delta');
  });

  it('stops at once although it is watched', async () => {
    const stream = watch();
    await stream.next();
    const began = performance.now();
    await b.stop({ drainTime: 20_000 });
    expect(performance.now() - began).to.be.below(10_000);
    await until(stream, () => false).catch((error: Error) => expect(error.message).to.match(/ended|lost/));
  });

  it('refuses options that it does not have', async () => {
    const error = await failure(toB.stream('net.watch', [{ everything: true }]).next());
    expect(error).to.be.instanceOf(TypeError);
    expect((error as Error).message).to.include('everything');
  });
});
