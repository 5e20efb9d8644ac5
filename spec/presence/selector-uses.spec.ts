import { expect } from 'chai';

import type { PeersChange, RemotePeer, Selector } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { Stage, failure, meet } from '../support/peers.ts';

const throwing = new Error('thrown by where');

/** Fits nobody of this name, and throws about them instead. */
function throwsAbout(name: string): Selector {
  return {
    where: (peer) => {
      if (peer.name === name) throw throwing;
      return true;
    },
  };
}

describe('a selector in use', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  beforeEach(() => (network = new MemoryNetwork()));
  afterEach(() => stage.clear());

  it('is refused where it is passed, before anything starts', () => {
    const peer = stage.make({ network });
    const wrong = { gruop: 'x' } as Selector;
    expect(() => peer.getPeers(wrong)).to.throw(TypeError, 'did you mean group?');
    expect(() => peer.peers.of(wrong)).to.throw(TypeError, 'did you mean group?');
    expect(() => peer.peers.ready(wrong)).to.throw(TypeError, 'did you mean group?');
  });

  it('is refused among the options with its right place, and so are options among the selector', () => {
    const peer = stage.make({ network });
    const fn = peer.connect('double', (n: number) => 2 * n);
    const misplaced = { group: 'x' } as object;
    const mistakes: [() => unknown, string][] = [
      [() => fn.map([1], misplaced), 'select: { group: … }'],
      [() => peer.peers.ready(fn, misplaced), 'ready({ group: …, has: fn })'],
      [() => peer.event('e').subscribe(() => {}, misplaced), 'from: { group: … }'],
      [() => fn.any({ deadline: 5 } as Selector), 'Options come after the selector: ({}, { deadline: … })'],
    ];
    for (const [mistake, advice] of mistakes) expect(mistake).to.throw(TypeError, advice);
  });

  it('does not change when the object is changed afterwards', async () => {
    const { a } = await stage.pair({ network });
    const selector: Selector = { name: 'b' };
    const view = a.peers.of(selector);
    selector.name = 'c';
    expect(view.size).to.equal(1);
  });

  it('can be awaited, like a function', async () => {
    const a = await stage.make({ network, name: 'a' }).start();
    const hub = a.peers.ready({ group: 'gpu', hub: true });
    const two = a.peers.ready({ group: ['gpu', 'main'] }, { min: 2 });
    const having = a.peers.ready({ group: '*', has: 'resize' });
    const b = await stage.make({ network, name: 'b' }).start();
    const c = await stage.make({ network, name: 'c', group: 'gpu', hub: true }).start();
    expect((await hub).map(({ name }) => name)).to.deep.equal(['c']);
    expect((await two).map(({ name }) => name)).to.have.members(['b', 'c']);
    await meet(a, b.id, c.id);
    c.connect('resize', () => 1);
    expect((await having).map(({ name }) => name)).to.deep.equal(['c']);
  });

  it('rejects a wait when its `where` throws', async () => {
    const { a } = await stage.pair({ network });
    expect(await failure(a.getPeers(throwsAbout('b')))).to.equal(throwing);
    expect(await failure(a.peers.ready(throwsAbout('b')))).to.equal(throwing);
    const later = failure(a.peers.ready(throwsAbout('c'), { min: 2 }));
    await stage.make({ network, name: 'c' }).start();
    expect(await later).to.equal(throwing);
    expect(a.actor.getSnapshot().value).to.equal('online');
  });

  it('ends a watch when its `where` throws, after the earlier changes', async () => {
    const { a } = await stage.pair({ network });
    const changes: PeersChange[] = [];
    const watching = (async () => {
      for await (const change of a.peers.of(throwsAbout('c')).watch()) changes.push(change);
    })();
    await eventually(() => changes.length === 1);
    await stage.make({ network, name: 'c' }).start();
    expect(await failure(watching)).to.equal(throwing);
    expect(changes.map(({ type }) => type)).to.deep.equal(['snapshot']);
  });

  it('lets peers join and leave a view as its `where` decides', async () => {
    const { a, b } = await stage.pair({ network });
    const busy = a.peers.of({ where: (peer: RemotePeer) => peer.functions.length > 1 });
    const story: string[] = [];
    busy.on('join', ({ name }) => story.push(`+${name}`)).on('leave', ({ name }) => story.push(`-${name}`));
    const one = b.connect('one', () => 1);
    b.connect('two', () => 2);
    await eventually(() => story.length === 1);
    b.disconnect(one);
    await eventually(() => story.length === 2);
    expect(story).to.deep.equal(['+b', '-b']);
  });
});
