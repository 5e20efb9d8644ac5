import { expect } from 'chai';

import { fingerprintOf } from '../../src/presence/members/fingerprint.ts';
import { Membership } from '../../src/presence/members/membership.ts';
import type { Member, MembershipOutput } from '../../src/presence/members/types.ts';
import { placesOf, RINGS } from '../support/ring-places.ts';

const memberOf = (id: string): Member => ({
  ...{ id, incarnation: `${id}-1`, started: 1, version: 1, about: {} },
  addresses: [{ host: '127.0.0.1', port: 1 }],
});

/** The links that are asked for this one. */
function askedFor(id: string, outputs: readonly MembershipOutput[]): number[] {
  return outputs.flatMap((each) =>
    each.type === 'send' &&
    each.frame.type === 'wanted' &&
    each.frame.fingerprints.includes(fingerprintOf(memberOf(id)))
      ? [each.link]
      : [],
  );
}

// Found with seed 62 of `gossipStory(12, 5)` and 4 neighbours: what was asked of the second link between two peers, which then closed,
// came half a second later.
describe('a peer that was asked to describe others', () => {
  for (const goodbye of [false, true]) {
    const how = goodbye ? 'says goodbye' : 'is lost';
    it(`is replaced by the next one that offers them at once when its link ${how}`, () => {
      const self = memberOf('self');
      const core = new Membership({
        ...{ self, neighbours: 2 * RINGS, places: placesOf, random: () => 0.5, now: 0, isUntold: false },
      });
      for (const [index, id] of ['a', 'b', 'c'].entries())
        core.receive({ type: 'link.opened', link: index + 1, member: memberOf(id), dialled: false }, 0);
      const fingerprints = [fingerprintOf(memberOf('new'))];
      const asked = [1, 2, 3].flatMap((link) =>
        askedFor(
          'new',
          core.receive({ type: 'frame.received', link, frame: { type: 'offered', fingerprints } }, 1),
        ),
      );
      expect(asked).to.deep.equal([1]);
      expect(askedFor('new', core.receive({ type: 'link.closed', link: 1, goodbye }, 2))).to.deep.equal([2]);
      expect(askedFor('new', core.receive({ type: 'link.closed', link: 3, goodbye }, 3))).to.deep.equal([]);
    });
  }
});
