import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';
import { pass, passUntil } from '../support/simulated.ts';

describe('functions that are connected and disconnected while peers are online', () => {
  const stage = new Stage();

  afterEach(() => stage.clear());

  it('reach the others’ `functions` one by one, in order', async () => {
    const { b, toB } = await stage.pair({ network: new MemoryNetwork() });
    const one = b.connect('one', () => 1);
    await eventually(() => expect(toB.functions).to.deep.equal(['one']));
    const two = b.connect({ two: () => 2, three: () => 3 }, { prefix: 'more' });
    await eventually(() => expect(toB.functions).to.deep.equal(['one', 'more.two', 'more.three']));
    b.disconnect(one);
    b.disconnect(two);
    await eventually(() => expect(toB.functions).to.deep.equal([]));
    for (let round = 0; round < 100; round += 1) b.disconnect(b.connect('flicker', () => 1));
    b.connect('last', () => 1);
    await eventually(() => expect(toB.functions).to.deep.equal(['last']));
  });

  it('show no change to others when one is replaced, and the new one is called', async () => {
    const { a, b, toB } = await stage.pair({ network: new MemoryNetwork() });
    const told: string[] = [];
    b.connect('fn', () => 'old');
    const [peer] = await a.peers.ready('fn');
    a.peers.of({ has: 'fn' }).on('leave', () => told.push('leave'));
    b.connect('fn', () => 'new', { replace: true });
    expect(await peer.call('fn')).to.equal('new');
    expect([told, toB.functions]).to.deep.equal([[], ['fn']]);
  });

  it('are known after a connection was replaced within one life, with all changes meanwhile', async () => {
    const network = new MemoryNetwork();
    const [clock, frozen] = [new SimulatedClock(), new SimulatedClock()];
    const a = stage.make({ network, clock, name: 'a', id: 'a' });
    const s = stage.make({ network, clock: frozen, name: 's', id: 's' });
    const old = a.connect('old', () => 1);
    a.connect('kept', () => 1);
    await Promise.all([a.start(), s.start()]);
    await passUntil(() => a.peers.size + s.peers.size === 2, 5_000, clock, frozen);
    const toA = s.peers.get('a')!;
    const story: string[] = [];
    s.peers.on('leave', () => story.push('leave'));
    // The connection breaks for one side while the other side was stopped, and keeps its handle.
    network.stall('a', 's');
    await pass(7_000, clock);
    frozen.increment(15_000);
    await passUntil(() => a.peers.size === 0, 3_000, clock);
    a.disconnect(old);
    a.connect('new', () => 2);
    network.heal('a', 's');
    await passUntil(() => a.peers.size === 1, 5_000, clock, frozen);
    await passUntil(() => toA.functions.includes('new'), 1_000, clock, frozen);
    expect(toA.functions).to.deep.equal(['kept', 'new']);
    expect(story).to.deep.equal([]);
    expect(await toA.call('new')).to.equal(2);
    expect(await failure(s.remote('old').any()())).to.include({ code: 'NO_SUCH_TAG' });
  });
});
