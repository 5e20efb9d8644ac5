import { expect } from 'chai';

import { fingerprintOf } from '../../src/presence/members/fingerprint.ts';
import { Membership } from '../../src/presence/members/membership.ts';
import type { Member, MembershipInput, MembershipOutput } from '../../src/presence/members/types.ts';
import { placesOf, RINGS } from '../support/ring-places.ts';

/** From the accusation on, the others wait so long before they bury a peer, in ms. */
const GRACE = 250;

// Found with seed 500169 of `gossipStory(12, 5)` and 4 neighbours: in a storm of news a refutation was told 320 ms later.
describe('a peer that hears a refutation', () => {
  const memberOf = (id: string, version = 1): Member => ({
    ...{ id, incarnation: `${id}-1`, started: 1, version, about: {} },
    addresses: [{ host: '127.0.0.1', port: 1 }],
  });

  it('tells of it at once, however much there is to tell', () => {
    const options = {
      self: memberOf('self'),
      neighbours: 2 * RINGS,
      places: placesOf,
      random: () => 0.5,
      now: 0,
    };
    const core = new Membership({ ...options, isUntold: false });
    const give = (input: MembershipInput, now: number): MembershipOutput[] => core.receive(input, now);
    for (const [index, id] of ['doubted', 'a', 'b'].entries())
      give({ type: 'link.opened', link: index + 1, member: memberOf(id), dialled: false }, 0);
    // News after news: each batch is gathered for longer.
    let now = 0;
    for (let count = 0; now < 2_000; now += 10, count += 1) {
      const news = memberOf(`news-${count}`);
      give({ type: 'frame.received', link: 2, frame: { type: 'joined', members: [news] } }, now);
      give({ type: 'time.passed' }, now);
    }
    const { incarnation, started } = memberOf('doubted');
    const mark = { id: 'doubted', incarnation, started, version: 1 };
    give({ type: 'frame.received', link: 2, frame: { type: 'accused', mark, by: 'a', turn: 1 } }, now);
    const refuted: MembershipInput = {
      type: 'frame.received',
      link: 1,
      frame: { type: 'joined', members: [memberOf('doubted', 2)] },
    };
    const outputs = [...give(refuted, now)];
    const heard = now;
    const refutation = fingerprintOf(memberOf('doubted', 2));
    const isTold = (): boolean =>
      outputs.some(
        (each) =>
          each.type === 'send' &&
          each.link === 3 &&
          each.frame.type === 'offered' &&
          each.frame.fingerprints.includes(refutation),
      );
    for (; !isTold() && now < heard + 1_000; now += 1) outputs.push(...give({ type: 'time.passed' }, now));
    expect(now - heard).to.be.below(GRACE / 10);
  });
});
