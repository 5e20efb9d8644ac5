import { expect } from 'chai';

import { MembershipWorld } from '../support/membership-world.ts';

/** Runs of each scenario, each with other chances. */
const SEEDS = [1, 2, 3, 4];

describe('the core of presence, cut off', function () {
  this.timeout(120_000);

  it('sees all others leave when its own cable is pulled, also those that it had no link to', () => {
    for (const seed of SEEDS) {
      const world = MembershipWorld.met(seed, 40, 40);
      for (let host = 1; host < 40; host += 1) world.cut('h0', `h${host}`);
      const [alone, ...others] = world.peers;
      expect(
        world.until(() => alone!.seen.size === 0, 30_000, 100),
        `seed ${seed}`,
      ).to.be.below(20_000);
      expect(others.every(({ seen }) => seen.size === 38 && !seen.has('p0'))).to.equal(true);
      world.heal();
      expect(
        world.until(() => world.agrees, 120_000, 100),
        `seed ${seed}`,
      ).to.be.below(120_000);
      expect(world.unpaired).to.equal(undefined);
    }
  });

  it('sees the others leave where three of sixty are left together', () => {
    for (const seed of SEEDS) {
      const world = MembershipWorld.met(seed, 60, 20);
      for (let host = 1; host < 20; host += 1) world.cut('h0', `h${host}`);
      const few = world.peers.filter(({ host }) => host === 'h0');
      const many = world.peers.filter(({ host }) => host !== 'h0');
      expect(
        world.until(() => few.every(({ seen }) => seen.size === 2), 40_000, 100),
        `seed ${seed}`,
      ).to.be.below(30_000);
      expect(many.every(({ seen }) => seen.size === 56)).to.equal(true);
      world.heal();
      expect(
        world.until(() => world.agrees, 120_000, 100),
        `seed ${seed}`,
      ).to.be.below(120_000);
      expect(world.unpaired).to.equal(undefined);
    }
  });

  it('forgets who died while it slept longer than anybody remembers, and keeps who lives', () => {
    for (const seed of SEEDS) {
      const world = MembershipWorld.met(seed, 24, 24);
      const sleeper = world.peers[2]!;
      world.freeze(sleeper, 400_000);
      world.run(20_000);
      for (const peer of world.peers.slice(10, 16)) world.kill(peer);
      world.run(370_000);
      world.announce(world.add('late', 'h3'));
      expect(
        world.until(() => world.agrees, 150_000, 100),
        `seed ${seed}`,
      ).to.be.below(100_000);
      world.run(30_000);
      expect(world.disagreement).to.equal(undefined);
      const dead = new Set(world.peers.slice(10, 16).map(({ id }) => id));
      for (const peer of world.living.filter(({ id }) => id !== 'late')) {
        const joins = peer.told.filter(({ type, id }) => type === 'joined' && dead.has(id));
        expect(joins.length, `${peer.id}: the dead join once`).to.equal(dead.size);
      }
    }
  });

  it('loses a peer that it cannot dial, and has it back when a dial works', () => {
    for (const seed of SEEDS) {
      const world = MembershipWorld.met(seed, 12, 12);
      world.cut('h1', 'h2');
      world.run(30_000);
      const [one, other] = [world.peers[1]!, world.peers[2]!];
      expect(one.seen.has('p2')).to.equal(false);
      expect(other.seen.has('p1')).to.equal(false);
      expect(one.told.at(-1)).to.include({ type: 'left', id: 'p2', why: 'unreachable' });
      for (const peer of world.peers.slice(3)) expect(peer.seen.size, peer.id).to.equal(11);
      world.heal();
      expect(world.until(() => world.agrees, 90_000, 100)).to.be.below(90_000);
      expect(world.falseLeaves).to.equal(0);
    }
  });

  it('closes links that presence has no use for, and tells of no leave', () => {
    for (const seed of SEEDS) {
      const world = MembershipWorld.met(seed, 40, 3);
      const caller = world.peers[4]!;
      for (const target of world.peers) if (target !== caller) world.call(caller, target);
      world.run(500);
      expect(caller.wires.size).to.equal(39);
      world.closeIdle();
      world.run(5_000);
      expect(caller.wires.size).to.be.below(14);
      expect(world.agrees).to.equal(true);
      expect(world.unlinked).to.equal(undefined);
      expect(world.falseLeaves).to.equal(0);
    }
  });

  it('tells everybody what a peer has changed', () => {
    for (const seed of SEEDS) {
      const world = MembershipWorld.met(seed, 40, 2);
      world.change(world.peers[3]!, 'another list of functions');
      const isKnown = (): boolean =>
        world.peers.every(({ id, seen }) => id === 'p3' || seen.get('p3')!.about !== undefined);
      expect(world.until(isKnown, 3_000, 1), `seed ${seed}`).to.be.below(200);
    }
  });
});

describe('a leaf', () => {
  it('dials one peer, gets the whole set from it, and is known to that one only', () => {
    for (const seed of SEEDS) {
      const world = MembershipWorld.met(seed, 40);
      const leaf = world.add('leaf', 'h0', true);
      world.announce(leaf, 5);
      expect(world.until(() => leaf.seen.size === 40, 2_000, 1)).to.be.below(300);
      expect(leaf.dials).to.equal(1);
      expect(world.agrees).to.equal(true);
      const [wire] = leaf.wires.values();
      expect(world.peers.filter(({ seen }) => seen.has('leaf'))).to.deep.equal([wire!.to]);
    }
  });

  it('goes to another peer when that one dies, and loses nobody', () => {
    for (const seed of SEEDS) {
      const world = MembershipWorld.met(seed, 40, 2);
      const leaf = world.add('leaf', 'h0', true);
      world.announce(leaf, 5);
      world.run(1_000);
      const [wire] = leaf.wires.values();
      world.kill(wire!.to);
      world.run(2_000);
      expect(world.agrees, world.disagreement).to.equal(true);
      expect(world.falseLeaves).to.equal(0);
    }
  });
});
