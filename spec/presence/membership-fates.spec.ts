import { expect } from 'chai';

import { live } from '../support/membership-fates.ts';
import { MembershipWorld } from '../support/membership-world.ts';
import { RINGS } from '../support/ring-places.ts';

/** More in `npm run soak`. */
const LIVES = 80;

/** Of what all peers have sent and received since the last time. */
function costs(world: MembershipWorld): { frames: number; dials: number } {
  const sum = { frames: 0, dials: 0 };
  for (const peer of world.peers) {
    sum.frames += peer.frames;
    sum.dials += peer.dials;
    peer.frames = 0;
    peer.dials = 0;
  }
  return sum;
}

describe('the core of presence, whatever happens', function () {
  this.timeout(120_000);

  it('lets all see all again when it is over, with joins and leaves in turns', () => {
    for (let seed = 1; seed <= LIVES; seed += 1) {
      const { wrong, story } = live(seed);
      expect(wrong, [`seed ${seed}`, ...story].join('\n')).to.equal(undefined);
    }
  });

  it('describes each peer to each other one once, or a little more', () => {
    const world = MembershipWorld.met(3, 120);
    const told = world.peers.reduce((sum, { described }) => sum + described, 0);
    expect(told / 120 ** 2).to.be.within(0.5, 1.1);
  });

  it('sends each peer some frames a neighbour when one joins, crashes or says goodbye', () => {
    const world = MembershipWorld.met(4, 120, 2);
    costs(world);
    world.announce(world.add('late', 'h0'));
    expect(world.until(() => world.agrees, 3_000)).to.be.below(600);
    world.run(1_000);
    const join = costs(world);
    expect(join.dials).to.be.at.most(2 * RINGS + 2);
    expect(join.frames / 120).to.be.below(4 * RINGS);
    world.kill(world.peers[7]!);
    world.run(1_500);
    expect(world.agrees).to.equal(true);
    expect(costs(world).frames / 120).to.be.below(8 * RINGS);
    world.leave(world.peers[9]!);
    world.run(1_500);
    expect(world.agrees).to.equal(true);
    expect(costs(world).frames / 120).to.be.below(4 * RINGS);
  });

  it('has those who would be neighbours redial whoever is gone, and nobody else', () => {
    const world = MembershipWorld.met(5, 80, 4);
    for (const peer of world.peers.filter(({ host }) => host === 'h1')) world.kill(peer, true);
    expect(world.until(() => world.agrees, 20_000, 100)).to.be.below(15_000);
    costs(world);
    world.run(120_000);
    // 20 are gone, and each is dialled by 12 at most, ever more rarely. All by all would be 9,600 dials at 8 each.
    expect(costs(world).dials).to.be.below(20 * 2 * RINGS * 8);
    expect(world.falseLeaves).to.equal(0);
  });

  it('waits little for a description from a process that stands still', () => {
    const world = MembershipWorld.met(6, 40);
    const frozen = world.peers.slice(0, 8);
    for (const peer of frozen) world.freeze(peer, 5_000);
    world.announce(world.add('late', 'h0'));
    const moving = world.peers.filter((peer) => !frozen.includes(peer));
    const seen = (): boolean => moving.every(({ seen: known, id }) => id === 'late' || known.has('late'));
    // Some asked a peer that stands still first, and then another one.
    expect(world.until(seen, 5_000)).to.be.below(1_500);
    world.run(10_000);
    expect(world.agrees).to.equal(true);
    expect(world.falseLeaves).to.equal(0);
  });
});
