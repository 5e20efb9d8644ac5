import { expect } from 'chai';

import { Rings } from '../../src/presence/members/rings.ts';
import { MembershipWorld } from '../support/membership-world.ts';
import { placesOf, RINGS } from '../support/ring-places.ts';

/** Runs of each scenario, each with other chances. */
const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);

/** Ids that are hinted at, met, lost and found in virtual time: each seed is a network of its own. */
function inEach(story: (seed: number) => MembershipWorld): void {
  for (const seed of SEEDS) {
    const world = story(seed);
    expect(world.agrees, `seed ${seed}: everybody sees those that live`).to.equal(true);
    expect(world.falseLeaves, `seed ${seed}: leaves of peers that live`).to.equal(0);
    expect(world.unpaired, `seed ${seed}: joins and leaves in turns`).to.equal(undefined);
  }
}

describe('rings', () => {
  it('make everybody a neighbour of everybody while there are few', () => {
    const rings = new Rings(RINGS, placesOf, 'p0');
    for (let index = 1; index < 2 * RINGS + 1; index += 1) rings.add(`p${index}`);
    expect(rings.beside('p0').size).to.equal(2 * RINGS);
  });

  it('give each id a few neighbours, who have it for theirs', () => {
    const rings = new Rings(RINGS, placesOf, 'p0');
    const ids = Array.from({ length: 300 }, (_, index) => `p${index}`);
    for (const id of ids) rings.add(id);
    for (const id of ids) {
      const beside = rings.beside(id);
      expect(beside.size).to.be.within(RINGS, 2 * RINGS);
      for (const other of beside) expect(rings.beside(other).has(id)).to.equal(true);
    }
  });

  it('move a few neighbours only when an id comes or goes', () => {
    const rings = new Rings(RINGS, placesOf, 'p0');
    const ids = Array.from({ length: 300 }, (_, index) => `p${index}`);
    for (const id of ids) rings.add(id);
    const before = ids.map((id) => [...rings.beside(id)].toSorted().join());
    rings.add('another');
    const moved = ids.filter((id, index) => [...rings.beside(id)].toSorted().join() !== before[index]);
    expect(moved.length).to.be.at.most(2 * RINGS);
    rings.remove('another');
    expect(ids.map((id) => [...rings.beside(id)].toSorted().join())).to.deep.equal(before);
  });
});

describe('the core of presence', function () {
  this.timeout(120_000);

  for (const count of [2, 13, 14, 50, 150]) {
    it(`lets ${count} peers that start at once find each other with few dials`, () => {
      const world = MembershipWorld.met(1, count);
      expect(world.agrees).to.equal(true);
      expect(world.unpaired).to.equal(undefined);
      const dials = world.peers.reduce((sum, peer) => sum + peer.dials, 0);
      const links = world.peers.reduce((sum, peer) => sum + peer.wires.size, 0) / 2;
      expect(dials).to.be.at.most(links * 1.1 + 2);
      expect(links).to.be.at.most((count * 2 * RINGS) / 2 + count);
    });
  }

  it('takes a newcomer in within half a second', () => {
    inEach((seed) => {
      const world = MembershipWorld.met(seed, 24);
      world.announce(world.add('late', 'h0'));
      expect(world.until(() => world.agrees, 5_000)).to.be.below(500);
      world.run(3_000);
      return world;
    });
  });

  it('tells everybody of a crash on the same host at once', () => {
    inEach((seed) => {
      const world = MembershipWorld.met(seed, 24);
      world.kill(world.peers[5]!);
      expect(world.until(() => world.agrees, 5_000, 1)).to.be.below(200);
      world.run(3_000);
      return world;
    });
  });

  it('tells everybody of a crash on another host within a second', () => {
    inEach((seed) => {
      const world = MembershipWorld.met(seed, 24, 4);
      world.kill(world.peers[5]!);
      expect(world.until(() => world.agrees, 5_000)).to.be.below(1_000);
      world.run(3_000);
      return world;
    });
  });

  it('misses no peer of a host that is lost as a whole', () => {
    inEach((seed) => {
      const world = MembershipWorld.met(seed, 24, 4);
      for (const peer of world.peers.filter(({ host }) => host === 'h1')) world.kill(peer, true);
      expect(world.until(() => world.agrees, 20_000, 50)).to.be.below(14_000);
      world.run(3_000);
      return world;
    });
  });

  it('survives that half of all peers die at once', () => {
    inEach((seed) => {
      const world = MembershipWorld.met(seed, 24, seed % 2 === 0 ? 1 : 6);
      for (const peer of world.peers) if (world.random() < 0.5) world.kill(peer);
      expect(world.until(() => world.agrees, 10_000)).to.be.below(3_000);
      world.run(3_000);
      return world;
    });
  });

  it('decides with two peers, and with three of which two die', () => {
    inEach((seed) => {
      const world = MembershipWorld.met(seed, 2 + (seed % 2), 3);
      for (const peer of world.peers.slice(1)) world.kill(peer);
      world.run(3_000);
      return world;
    });
  });

  it('believes a goodbye at once', () => {
    inEach((seed) => {
      const world = MembershipWorld.met(seed, 24, 3);
      world.leave(world.peers[3]!);
      expect(world.until(() => world.agrees, 5_000, 1)).to.be.below(100);
      world.run(2_000);
      return world;
    });
  });

  it('takes a process that starts again under its id for a new life', () => {
    inEach((seed) => {
      const world = MembershipWorld.met(seed, 24, 2);
      const { id, host } = world.peers[4]!;
      world.kill(world.peers[4]!);
      world.run(100);
      world.announce(world.add(id, host));
      expect(world.until(() => world.agrees, 10_000)).to.be.below(2_000);
      world.run(3_000);
      return world;
    });
  });

  it('sees nobody leave whose event loop stands still for 1.5 s, while another one dies', () => {
    inEach((seed) => {
      const world = MembershipWorld.met(seed, 24);
      for (const peer of world.peers) if (world.random() < 0.3) world.freeze(peer, 1_500);
      world.kill(world.peers[7]!);
      world.run(20_000);
      return world;
    });
  });

  it('keeps a peer that some cannot reach and others can', () => {
    inEach((seed) => {
      // A host for each peer, so that a cable belongs to a pair.
      const world = MembershipWorld.met(seed, 24, 24);
      for (const { host } of world.peers.slice(3, 15)) world.cut('h2', host);
      world.run(30_000);
      expect(world.falseLeaves).to.equal(0);
      world.heal();
      world.run(90_000);
      return world;
    });
  });

  it('agrees again after a split has healed', () => {
    for (const seed of SEEDS) {
      const world = MembershipWorld.met(seed, 24, 2);
      world.cut('h0', 'h1');
      world.run(20_000);
      for (const peer of world.peers) expect(peer.core.present().length).to.equal(11);
      world.heal();
      expect(world.until(() => world.agrees, 120_000, 200)).to.be.below(120_000);
      expect(world.unpaired).to.equal(undefined);
    }
  });
});
