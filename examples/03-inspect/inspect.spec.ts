// A test that looks at the actors of two peers. Both are in this process, on a network in memory.
// Run it with `npx mocha --no-config --node-option import=tsx examples/03-inspect/inspect.spec.ts`.
import { createPeer } from 'app-net';
import type { Peer } from 'app-net';
import { MemoryNetwork } from 'app-net/testing';
import { expect } from 'chai';

describe('two peers', () => {
  const network = new MemoryNetwork();
  let alice: Peer;
  let bob: Peer;

  beforeEach(async () => {
    alice = createPeer({ name: 'alice', network });
    bob = createPeer({ name: 'bob', network });
    await Promise.all([alice.start(), bob.start()]);
  });

  afterEach(async () => {
    await Promise.all([alice.stop(), bob.stop()]);
  });

  it('are online, and hold one open connection to each other', async () => {
    const [other] = await alice.getPeers();
    expect(other?.name).to.equal('bob');
    expect(alice.actor.getSnapshot().value).to.equal('online');
    expect(alice.actor.system.get('discovery').getSnapshot().value).to.equal('settled');
    expect(alice.actor.system.get(`connection:${bob.id}`).getSnapshot().value).to.equal('open');
    expect(bob.actor.system.get(`connection:${alice.id}`).getSnapshot().value).to.equal('open');
  });

  it('count their calls', async () => {
    const greet = bob.connect('greet', (name: string) => `hello, ${name}`);
    const [other] = await alice.peers.ready(greet);
    expect(await greet.on(other)('alice')).to.equal('hello, alice');
    expect(alice.actor.system.get('caller').getSnapshot().context).to.include({ pending: 0, settled: 1 });
    expect(bob.actor.system.get('dispatcher').getSnapshot().context).to.include({
      registered: 1,
      settled: 1,
    });
  });

  it('see each other leave when the network breaks, and join again when it heals', async () => {
    await Promise.all([alice.getPeers(), bob.getPeers()]);
    const story: string[] = [];
    alice.peers.on('leave', (peer, why) => story.push(`${peer.name} left: ${why}`));
    alice.peers.on('join', (peer) => story.push(`${peer.name} joined`));

    const left = new Promise((resolve) => alice.peers.once('leave', resolve));
    network.cut(alice, bob);
    await left;

    const joined = new Promise((resolve) => alice.peers.once('join', resolve));
    network.heal(alice, bob);
    await joined;

    expect(story).to.deep.equal(['bob left: lost', 'bob joined']);
  });

  it('end in the state stopped, with nothing left running', async () => {
    await bob.getPeers();
    await alice.stop();
    expect(alice.actor.getSnapshot().value).to.equal('stopped');
    expect([...bob.peers]).to.deep.equal([]);
  });
});
