import { readdir } from 'node:fs/promises';

import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { meet, Stage } from '../support/peers.ts';

describe('a peer that is not announced', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('finds the others, is found by nobody, and listens nowhere', async () => {
    const runtimeDir = await stage.folder();
    // One id below and one above: whoever has the lower one dials, were it announced.
    const [low, high] = [stage.make({ runtimeDir, id: 'a' }), stage.make({ runtimeDir, id: 'z' })];
    await Promise.all([low.start(), high.start()]);
    await meet(low, high.id);
    const peer = stage.make({ runtimeDir, id: 'm', announce: false });
    const found = await peer.getPeers();
    expect(found.map(({ id }) => id)).to.have.members(['a', 'z']);
    expect(peer.actor.getSnapshot().context.opened.listener.addresses).to.deep.equal([]);
    expect(await readdir(runtimeDir)).to.have.members(['secret', 'a.peer.json', 'z.peer.json']);
    await peer.stop();
    expect(await readdir(runtimeDir)).to.have.members(['secret', 'a.peer.json', 'z.peer.json']);
  });

  it('is in the sets of the others while it is connected, and can call and be called', async () => {
    const network = new MemoryNetwork();
    const other = await stage.make({ network, id: 'a' }).start();
    const peer = stage.make({ network, id: 'z', announce: false });
    peer.connect('one', () => 1);
    const [toOther] = await peer.getPeers();
    expect(await toOther!.call('net.passThrough', [5])).to.deep.equal([5]);
    expect(await other.peers.get('z')!.call('one')).to.equal(1);
    await peer.stop();
    await eventually(() => other.peers.size === 0);
  });

  it('does not wait for peers that are still absent, but sees them when they come', async () => {
    const network = new MemoryNetwork();
    const clock = new SimulatedClock();
    const peer = stage.make({ network, announce: false, clock });
    const found = peer.getPeers();
    const state = (): unknown => peer.actor.system.get('discovery').getSnapshot().value;
    await eventually(() => {
      // This runs the timers that are due at once, and no others: no time passes on this clock.
      clock.increment(0);
      expect(state()).to.equal('settled');
    });
    expect(await found).to.deep.equal([]);
    const late = await stage.make({ network }).start();
    clock.increment(0);
    await meet(peer, late.id);
  });

  it('is not seen by another peer that is not announced', async () => {
    const network = new MemoryNetwork();
    const [one, two] = [stage.make({ network, announce: false }), stage.make({ network, announce: false })];
    expect(await Promise.all([one.getPeers(), two.getPeers()])).to.deep.equal([[], []]);
  });
});
