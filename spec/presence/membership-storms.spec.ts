import { expect } from 'chai';

import { MembershipWorld } from '../support/membership-world.ts';
import { RINGS } from '../support/ring-places.ts';

describe('the core of presence in a storm', function () {
  this.timeout(120_000);

  it('takes in as many newcomers at once as were there before, with few dials for each', () => {
    const world = MembershipWorld.met(1, 60, 2);
    const before = world.peers.reduce((sum, { dials }) => sum + dials, 0);
    for (let index = 0; index < 60; index += 1) world.announce(world.add(`new${index}`, `h${index % 2}`));
    expect(world.until(() => world.agrees, 5_000, 20)).to.be.below(1_500);
    world.run(2_000);
    const dials = world.peers.reduce((sum, peer) => sum + peer.dials, 0) - before;
    expect(dials / 60).to.be.below(2 * RINGS + 4);
    expect(world.falseLeaves).to.equal(0);
    expect(world.unlinked).to.equal(undefined);
    expect(world.unpaired).to.equal(undefined);
  });

  it('lives through a restart of all, one after the other, and sees each leave and join once', () => {
    const world = MembershipWorld.met(2, 30, 3);
    for (const peer of [...world.peers]) {
      if (world.random() < 0.5) world.leave(peer);
      else world.kill(peer);
      world.run(50);
      world.announce(world.add(peer.id, peer.host));
      world.run(400);
    }
    world.run(5_000);
    expect(world.disagreement).to.equal(undefined);
    expect(world.falseLeaves).to.equal(0);
    expect(world.unpaired).to.equal(undefined);
    const last = world.living.at(-1)!;
    expect(last.told.filter(({ type }) => type === 'left')).to.have.length(0);
  });

  it('sees nobody leave that lives while processors are overloaded, and misses nobody that dies', () => {
    for (const [hosts, cost] of [
      [1, 10],
      [4, 20],
    ] as const) {
      const world = MembershipWorld.met(hosts, 40, hosts);
      for (let round = 0; round < 6; round += 1) {
        world.burden(cost);
        world.kill(world.living[3]!);
        world.announce(world.add(`new${round}`, `h${round % hosts}`));
        world.run(4_000);
        world.burden(0);
        world.run(1_000);
      }
      world.until(() => world.agrees, 60_000, 500);
      expect(world.disagreement, `${hosts} hosts`).to.equal(undefined);
      expect(world.falseLeaves, `${hosts} hosts`).to.equal(0);
      expect(world.unpaired).to.equal(undefined);
    }
  });

  it('neither misses nor believes a peer whose event loop stands still for 5 s every 20 s', () => {
    const world = MembershipWorld.met(3, 50, 3);
    const blocked = world.peers[7]!;
    for (let round = 0; round < 6; round += 1) {
      world.freeze(blocked, 5_000);
      world.run(1_000);
      world.kill(world.living.find((peer) => peer !== blocked)!);
      world.run(19_000);
      expect(world.disagreement, `round ${round}`).to.equal(undefined);
    }
    expect(world.falseLeaves).to.equal(0);
    expect(world.unpaired).to.equal(undefined);
  });
});
