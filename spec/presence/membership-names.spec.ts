import { expect } from 'chai';

import { Membership } from '../../src/presence/members/membership.ts';
import type { MembershipInput } from '../../src/presence/members/types.ts';
import { MembershipWorld } from '../support/membership-world.ts';
import { placesOf, RINGS } from '../support/ring-places.ts';

/** Runs of each scenario, each with other chances. */
const SEEDS = [1, 2, 3, 4, 5, 6];

const met = (seed: number, count: number, hosts = 1): MembershipWorld =>
  MembershipWorld.met(seed, count, hosts, 2 * RINGS, true);

function check(world: MembershipWorld): void {
  expect(world.disagreement).to.equal(undefined);
  expect(world.unlinked).to.equal(undefined);
  expect(world.falseLeaves).to.equal(0);
  expect(world.unpaired).to.equal(undefined);
}

describe('the core of presence, told names only', () => {
  it('meets everybody, and looks up its neighbours only', () => {
    for (const seed of SEEDS) {
      const world = met(seed, 60);
      check(world);
      const lookUps = world.peers.reduce((sum, peer) => sum + peer.lookUps, 0);
      expect(lookUps / 60).to.be.at.most(2 * RINGS);
    }
  });

  it('takes newcomers in, and leaves, which look up one peer', () => {
    for (const seed of SEEDS) {
      const world = met(seed, 40);
      world.announce(world.add('late', 'h0'));
      expect(world.until(() => world.agrees, 5_000)).to.be.below(1_000);
      const leaf = world.add('leaf', 'h0', true);
      world.announce(leaf, 5);
      expect(world.until(() => world.agrees, 5_000)).to.be.below(1_000);
      world.run(2_000);
      check(world);
      expect(leaf.lookUps).to.equal(1);
    }
  });

  it('sees crashes, goodbyes and new lives as ever, and lets names go that lead nowhere', () => {
    for (const seed of SEEDS) {
      const world = met(seed, 40, 4);
      world.kill(world.peers[3]!);
      world.leave(world.peers[4]!);
      const { id, host } = world.peers[5]!;
      world.kill(world.peers[5]!);
      world.run(100);
      world.announce(world.add(id, host));
      expect(world.until(() => world.agrees, 20_000, 20)).to.be.below(3_000);
      world.run(5_000);
      check(world);
      const dials = world.peers.reduce((sum, peer) => sum + peer.dials + peer.lookUps, 0);
      world.run(60_000);
      const after = world.peers.reduce((sum, peer) => sum + peer.dials + peer.lookUps, 0);
      expect(after - dials).to.be.below(40);
      check(world);
    }
  });

  it('survives that half of all peers die at once', () => {
    for (const seed of SEEDS) {
      const world = met(seed, 40, seed % 2 === 0 ? 1 : 6);
      for (const peer of world.peers) if (world.random() < 0.5) world.kill(peer);
      expect(world.until(() => world.agrees, 10_000)).to.be.below(4_000);
      world.run(3_000);
      check(world);
    }
  });

  describe('by itself', () => {
    const addresses = [{ host: '127.0.0.1', port: 1 }];
    const memberOf = (id: string) => {
      return { id, incarnation: `${id}-1`, started: 1, version: 1, addresses, about: undefined };
    };
    const nameOf = (id: string): MembershipInput => {
      return { type: 'hint.found', id, incarnation: '', addresses: [] };
    };
    let core: Membership;
    let now: number;

    beforeEach(() => {
      now = 0;
      core = new Membership({
        ...{ self: memberOf('a'), neighbours: 2 * RINGS, places: placesOf, random: () => 0.999, now },
      });
    });

    /** The first dial within so many ms, and when it began. */
    function nextDial(within: number): { id: string; at: number } | undefined {
      for (const end = now + within; now < end; now += 1) {
        const dial = core.receive({ type: 'time.passed' }, now).find(({ type }) => type === 'dial');
        if (dial?.type === 'dial') return { id: dial.id, at: now };
      }
      return undefined;
    }

    it('forgets the name of a peer that said goodbye', () => {
      core.receive({ type: 'link.opened', link: 1, member: memberOf('b'), dialled: true }, now);
      core.receive(nameOf('b'), now);
      core.receive({ type: 'link.closed', link: 1, goodbye: true }, now);
      expect(nextDial(20_000)).to.equal(undefined);
    });

    it('does not wait because of the name of a peer that is present', () => {
      core.receive({ type: 'link.opened', link: 1, member: memberOf('b'), dialled: true }, now);
      now = 1_000;
      core.receive(nameOf('c'), now);
      now += 10;
      core.receive(nameOf('b'), now);
      expect(nextDial(1_000)).to.deep.equal({ id: 'c', at: 1_015 });
    });

    it('takes a failed dial of a peer that was looked up for its own', () => {
      core.receive(nameOf('b'), now);
      expect(nextDial(1_000)?.id).to.equal('b');
      core.receive({ type: 'hint.found', id: 'b', incarnation: 'b-1', addresses }, now);
      now += 1;
      core.receive({ type: 'dial.failed', id: 'b', refused: true }, now);
      // With all of its pause, and not soon: a new life of it would be dialled within 20 ms.
      const failedAt = now;
      expect(nextDial(1_000)!.at - failedAt).to.be.above(100);
    });
  });
});
