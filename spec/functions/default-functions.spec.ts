import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import type { Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { failure, meet, Stage } from '../support/peers.ts';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

describe('the functions that every peer has', () => {
  const stage = new Stage();
  let a: Peer;
  let b: Peer;
  let toB: RemotePeer;

  beforeEach(async () => {
    const network = new MemoryNetwork();
    ({ a, b, toB } = await stage.pair({ network }, { network, group: 'gpu', hub: true }));
  });

  afterEach(() => stage.clear());

  it('info: tell the identity, uptime, functions and work of a peer', async () => {
    b.connect('one', () => 1);
    const started = Date.now();
    await toB.call('one');
    const info = await toB.info();
    expect(info).to.deep.include({
      ...{ id: b.id, name: b.name, group: 'gpu', hub: true, pid: process.pid, host: toB.host },
      user: userInfo().username,
      versions: { 'app-net': manifest.version, node: process.versions.node, protocol: [1] },
      functions: ['one'],
      peers: 1,
    });
    expect(info.counters.dispatcher).to.include({ registered: 1, running: 1, settled: 1 });
    expect(info.counters.caller).to.include({ pending: 0, settled: 0 });
    expect(info.uptime).to.be.a('number').within(0, 60_000);
    expect(info.time).to.be.within(started, Date.now());
    expect(info.memory).to.be.above(1_000_000);
    expect(info.loop.lag).to.be.at.least(0);
    expect(info.loop.utilization).to.be.within(0, 1);
  });

  it('info: tell how late the event loop is', async () => {
    // It looks for 20 ms only, so the loop is blocked while it does.
    b.use((_, next) => {
      const answer = next();
      for (const end = performance.now() + 60; performance.now() < end;);
      return answer;
    });
    const { loop } = await toB.info();
    expect(loop.lag).to.be.above(30);
    expect(loop.utilization).to.be.above(0.5);
  });

  it('info: cost nothing when nobody asks, and leave nothing behind', async () => {
    await toB.info();
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const many = await Promise.all(Array.from({ length: 20 }, () => toB.info()));
    expect(new Set(many.map(({ loop }) => loop.lag)).size).to.equal(1);
    expect(timers()).to.be.at.most(before);
  });

  it('cost the promises of the process nothing, which a context that follows them would', async () => {
    // Each promise has a hook as long as a storage is in use, up to Node 22.
    let entered = 0;
    const { run } = AsyncLocalStorage.prototype;
    AsyncLocalStorage.prototype.run = function counted(this: unknown, ...args: unknown[]) {
      entered += 1;
      return Reflect.apply(run, this, args) as unknown;
    } as typeof run;
    try {
      await toB.info();
      const stream = toB.watch();
      await stream.next();
      await stream.next();
      await stream.return();
      expect(entered).to.equal(0);
      b.connect('waits', async () => 1);
      await toB.call('waits');
      expect(entered).to.equal(1);
    } finally {
      AsyncLocalStorage.prototype.run = run;
    }
  });

  it('ping: take as long as the round trip, on the clock of the peer that asks', async () => {
    expect(await toB.ping()).to.be.within(0, 5_000);
    const clock = new SimulatedClock();
    const network = new MemoryNetwork();
    const other = await stage.make({ network }).start();
    const asking = await stage.make({ network, clock }).start();
    const [peer] = await meet(asking, other.id);
    const ping = peer!.ping();
    clock.increment(40);
    expect(await ping).to.equal(40);
  });

  it('passThrough: return the arguments', async () => {
    const args = [1, 'two', null, [3, { four: 5 }]];
    expect(await toB.call('net.passThrough', args)).to.deep.equal(args);
    const [day, bytes] = await toB.passThrough(new Date(0), new Uint8Array([1, 2]));
    expect([day.getTime(), ...bytes]).to.deep.equal([0, 1, 2]);
    const passThrough = a.remote<(...args: unknown[]) => unknown[]>('net.passThrough');
    expect(await passThrough.on(toB)()).to.deep.equal([]);
  });

  it('are not listed among its functions, but it has them', () => {
    expect(toB.functions).to.deep.equal([]);
    expect(['net.info', 'net.ping', 'net.passThrough', 'net.other'].map((tag) => toB.has(tag))).to.deep.equal(
      [true, true, true, false],
    );
  });

  it('reserve their tags', async () => {
    for (const tag of ['net.ping', 'net.something']) {
      expect(() => a.connect(tag, () => 1)).to.throw(TypeError, /begin with net\. .*net\.passThrough/);
    }
    a.connect('network.ping', () => 1);
    expect(await failure(toB.call('net.pong'))).to.include({ code: 'NO_SUCH_TAG' });
    expect(await failure(toB.call('net.pong')))
      .to.have.property('message')
      .that.includes('net.ping');
  });
});
