import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import type { LeaveReason, Peer, PeersChange, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, meet, Stage } from '../support/peers.ts';

describe('the set of peers', () => {
  const stage = new Stage();
  let network: MemoryNetwork;

  beforeEach(() => {
    network = new MemoryNetwork();
  });

  afterEach(() => stage.clear());

  /** The joins and leaves that a peer saw, in words. */
  function record(peer: Peer): string[] {
    const story: string[] = [];
    const everyone = peer.peers.of({ group: '*' });
    everyone.on('join', (other) => story.push(`${other.name} joins`));
    everyone.on('leave', (other, why) => story.push(`${other.name} leaves: ${why}`));
    return story;
  }

  it('holds each of ten peers that start at once, and each joins exactly once', async () => {
    const peers = Array.from({ length: 10 }, (_, index) => stage.make({ network, name: `p${index}` }));
    const stories = peers.map(record);
    await Promise.all(peers.map((peer) => peer.start()));
    const ids = peers.map(({ id }) => id);
    await Promise.all(peers.map((peer) => meet(peer, ...ids.filter((id) => id !== peer.id))));
    for (const story of stories) {
      expect(new Set(story).size).to.equal(9);
      expect(story).to.have.length(9);
    }
  });

  it('loses a killed peer exactly once, on each of the others', async () => {
    const peers = await Promise.all(
      Array.from({ length: 4 }, (_, index) => stage.make({ network, name: `p${index}` }).start()),
    );
    await Promise.all(peers.map((peer) => eventually(() => peer.peers.size === 3)));
    const stories = peers.slice(1).map(record);
    network.kill(peers[0]!);
    await Promise.all(stories.map((story) => eventually(() => story.length > 0)));
    // Long enough for what is left of it to dial the others again.
    await new Promise((resolve) => setTimeout(resolve, 400));
    for (const story of stories) expect(story).to.deep.equal(['p0 leaves: lost']);
  });

  it('reports that a peer left because it stopped', async () => {
    const { a, b } = await stage.pair({ network });
    const story = record(a);
    await b.stop();
    await eventually(() => story.length > 0);
    expect(story).to.deep.equal(['b leaves: stopped']);
    expect([...a.actor.getSnapshot().context.connections.keys()]).to.deep.equal([]);
  });

  for (const kind of ['in memory', 'on this host']) {
    it(`reports a stop, ${kind}, of a peer that stops at the moment when it joins`, async () => {
      const place = kind === 'in memory' ? { network } : { runtimeDir: await stage.folder() };
      const witness = await stage.make({ ...place, name: 'witness' }).start();
      for (let round = 0; round < 10; round += 1) {
        const joined = new Promise((resolve) => witness.peers.once('join', resolve));
        const left = new Promise((resolve) => witness.peers.once('leave', (_, why) => resolve(why)));
        const brief = await stage.make({ ...place, name: 'brief' }).start();
        await joined;
        await brief.stop();
        expect(await left).to.equal('stopped');
      }
    });
  }

  it('gets the peer back after a cut that heals', async () => {
    const { a, b } = await stage.pair({ network });
    const story = record(a);
    network.cut(a, b);
    await eventually(() => a.peers.size === 0 && b.peers.size === 0);
    network.heal(a, b);
    await eventually(() => a.peers.size === 1 && b.peers.size === 1);
    expect(story).to.deep.equal(['b leaves: lost', 'b joins']);
  });

  it('holds the own group, unless the selector says otherwise', async () => {
    const main = await stage.make({ network, name: 'main' }).start();
    const gpu = await stage.make({ network, name: 'gpu', group: 'gpu', hub: true }).start();
    const fn = gpu.connect('resize', () => 1);
    await meet(main, gpu.id);
    const names = async (selector?: Parameters<Peer['getPeers']>[0]): Promise<string[]> =>
      (await main.getPeers(selector)).map(({ name }) => name);
    expect(await names()).to.deep.equal([]);
    expect(await names({ group: 'gpu' })).to.deep.equal(['gpu']);
    expect(await names({ group: ['main', 'gpu'] })).to.deep.equal(['gpu']);
    expect(await names({ group: '*', hub: true })).to.deep.equal(['gpu']);
    expect(await names({ group: '*', hub: false })).to.deep.equal([]);
    expect(await names({ group: '*', has: fn, scope: 'host', name: 'gpu' })).to.deep.equal(['gpu']);
    expect(await names({ group: '*', has: 'nothing' })).to.deep.equal([]);
    expect(await names({ group: '*', scope: 'lan' })).to.deep.equal([]);
    expect(main.peers.size).to.equal(0);
    expect(main.peers.of({ group: 'gpu' }).size).to.equal(1);
  });

  it('describes each peer', async () => {
    const { b, toB } = await stage.pair({ network, group: 'g', hub: true });
    const fn = b.connect('late', () => 1);
    await eventually(() => toB.has('late'));
    expect(toB).to.include({ id: b.id, name: 'b', group: 'g', hub: true, pid: process.pid, scope: 'host' });
    expect(toB.functions).to.deep.equal(['late']);
    expect(b.disconnect(fn)).to.equal(true);
    expect(b.disconnect(fn)).to.equal(false);
    await eventually(() => !toB.has('late'));
  });

  it('knows more functions of a peer than a handshake has room for', async () => {
    const b = stage.make({ network, name: 'b' });
    const tags = Array.from({ length: 1000 }, (_, index) => `a rather long tag, number ${index}`);
    for (const tag of tags) b.connect(tag, () => tag);
    const a = stage.make({ network, name: 'a' });
    await Promise.all([a.start(), b.start()]);
    const [toB] = await a.peers.ready(tags.at(-1)!);
    expect(toB.functions).to.have.members(tags);
  });

  it('can be watched: first a snapshot, then every change', async () => {
    const { a, b } = await stage.pair({ network });
    const seen: string[] = [];
    const tell = (change: PeersChange): string =>
      change.type === 'snapshot'
        ? `there: ${change.peers.map(({ name }) => name).join()}`
        : `${change.type} ${change.peer.name}`;
    const watching = (async () => {
      for await (const change of a.peers.watch()) seen.push(tell(change));
    })();
    b.connect('fn', () => 1);
    await eventually(() => seen.length === 2);
    const c = await stage.make({ network, name: 'c' }).start();
    await meet(a, c.id);
    await c.stop();
    await eventually(() => seen.length === 4);
    await a.stop();
    await watching;
    expect(seen).to.deep.equal(['there: b', 'functions b', 'join c', 'leave c', 'leave b']);
  });

  it('is not watched any more when the signal aborts or the loop is left', async () => {
    const { a } = await stage.pair({ network });
    const controller = new AbortController();
    const watching = (async () => {
      let count = 0;
      for await (const _ of a.peers.watch({ signal: controller.signal })) count += 1;
      return count;
    })();
    setImmediate(() => controller.abort());
    expect(await watching).to.equal(1);
    for await (const _ of a.peers.watch()) break;
    for await (const _ of a.peers.watch({ signal: AbortSignal.abort() })) expect.fail();
  });

  it('is ready when enough peers have a function', async () => {
    const a = await stage.make({ network }).start();
    const resize = a.remote<(x: number) => number>('resize');
    const two = a.peers.ready(resize, { min: 2 });
    const early = a.peers.ready('resize');
    const b = await stage.make({ network, name: 'b' }).start();
    await meet(a, b.id);
    b.connect('resize', (x: number) => x);
    expect((await early).map(({ name }) => name)).to.deep.equal(['b']);
    const c = stage.make({ network, name: 'c' });
    c.connect('resize', (x: number) => x);
    await c.start();
    expect((await two).map(({ name }) => name)).to.have.members(['b', 'c']);
  });

  it('stops waiting for a function when its signal aborts, and when the peer stops', async () => {
    const a = await stage.make({ network }).start();
    const reason = new Error('enough');
    expect(await failure(a.peers.ready('x', { signal: AbortSignal.abort(reason) }))).to.equal(reason);
    const controller = new AbortController();
    const waiting = failure(a.peers.ready('x', { signal: controller.signal }));
    controller.abort(reason);
    expect(await waiting).to.equal(reason);
    const stopped = failure(a.peers.ready('x'));
    await a.stop();
    expect(await stopped).to.include({ code: 'STOPPED' });
    expect(await failure(a.getPeers())).to.include({ code: 'STOPPED' });
    expect(() => a.peers.ready(undefined as never)).to.throw(TypeError);
    expect(() => a.peers.ready('x', { min: 0 })).to.throw(TypeError, 'min');
    expect(() => a.peers.ready('x', { deadline: 5 } as never)).to.throw(TypeError, 'no option deadline');
    expect(() => a.peers.on('joined' as 'join', () => {})).to.throw(
      TypeError,
      'there is no event joined; did you mean join? The events are join, leave',
    );
    expect(() => a.peers.once('join', 5 as never)).to.throw(TypeError, 'join: give a function');
  });

  it('has listeners that are called once', async () => {
    const a = await stage.make({ network }).start();
    const heard: string[] = [];
    const listener = (peer: RemotePeer): unknown => heard.push(peer.name);
    const left = (_: RemotePeer, why: LeaveReason): unknown => heard.push(why);
    a.peers.once('join', listener);
    a.peers.on('leave', left);
    const b = await stage.make({ network, name: 'b' }).start();
    await meet(a, b.id);
    const c = await stage.make({ network, name: 'c' }).start();
    await meet(a, c.id);
    a.peers.off('leave', left);
    await c.stop();
    await eventually(() => a.peers.size === 1);
    expect(heard).to.deep.equal(['b']);
    expect(a.peers.get(b.id)?.name).to.equal('b');
    expect([...a.peers].map(({ name }) => name)).to.deep.equal(['b']);
  });

  it('has views by function: peers join a view with the function and leave it without', async () => {
    const { a, b } = await stage.pair({ network });
    const story: string[] = [];
    const having = a.peers.of({ has: 'fn' });
    having.on('join', ({ name }) => story.push(`+${name}`));
    having.on('leave', ({ name }, why) => story.push(`-${name} ${why}`));
    const fn = b.connect('fn', () => 1);
    await eventually(() => story.length === 1);
    b.disconnect(fn);
    await eventually(() => story.length === 2);
    expect(story).to.deep.equal(['+b', '-b stopped']);
  });

  it('ends its first search on the given clock', async () => {
    const clock = new SimulatedClock();
    const a = stage.make({ network, clock });
    await a.start();
    let settled = false;
    const found = a.getPeers().then(() => (settled = true));
    clock.increment(700);
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).to.equal(false);
    clock.increment(100);
    await found;
    expect(a.actor.system.get('discovery').getSnapshot().value).to.equal('settled');
    // A stop waits for the disposal of nothing that the clock would have to move.
    await a.stop();
  });
});
