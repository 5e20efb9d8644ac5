import { expect } from 'chai';

import { Membership } from '../../src/presence/members/membership.ts';
import type { Member, MembershipInput, MembershipOutput } from '../../src/presence/members/types.ts';
import { placesOf, RINGS } from '../support/ring-places.ts';

/** A leaf that nobody tells of others, as a guest is one. */
describe('a leaf that is told nothing', () => {
  const IDS = Array.from({ length: 40 }, (_, index) => `p${index}`);
  let core: Membership;
  let now: number;
  let links: number;

  const memberOf = (id: string, port: number): Member => ({
    ...{ id, incarnation: `${id}-1`, started: 1, version: 1, about: {} },
    addresses: port > 0 ? [{ host: '127.0.0.1', port }] : [],
  });

  function give(input: MembershipInput): void {
    answer(core.receive(input, now));
  }

  /** Every dial works. */
  function answer(outputs: MembershipOutput[]): void {
    for (const output of outputs) {
      if (output.type !== 'dial') continue;
      links += 1;
      give({ type: 'link.opened', link: links, member: memberOf(output.id, 1), dialled: true });
    }
  }

  beforeEach(() => {
    now = 0;
    links = 0;
    const self = memberOf('guest', 0);
    const options = { self, neighbours: 2 * RINGS, places: placesOf, random: () => 0.5, now };
    core = new Membership({ ...options, isUntold: true });
    for (const [index, id] of IDS.entries()) {
      const addresses = [{ host: '127.0.0.1', port: index + 1 }];
      give({ type: 'hint.found', id, incarnation: `${id}-1`, addresses, patience: 0 });
    }
  });

  it('dials all that it finds, and keeps its links', () => {
    for (; now < 5_000 && links < IDS.length; now += 10) give({ type: 'time.passed' });
    expect(core.present().map(({ id }) => id)).to.have.members(IDS);
    expect(IDS.filter((id) => core.isDispensable(id))).to.deep.equal([]);
  });
});
