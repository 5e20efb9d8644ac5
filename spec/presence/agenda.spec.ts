import { expect } from 'chai';
import * as fc from 'fast-check';

import { Agenda } from '../../src/presence/members/agenda.ts';

describe('an agenda', () => {
  it('gives what is due in the order of time, whatever was set, moved and taken out before', () => {
    const change = fc.record({
      entry: fc.nat({ max: 20 }),
      at: fc.oneof(fc.nat({ max: 50 }), fc.constant(Infinity)),
      hasten: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 100 }), (changes) => {
        const agenda = new Agenda<number>();
        const expected = new Map<number, number>();
        for (const { entry, at, hasten } of changes) {
          const before = expected.get(entry) ?? Infinity;
          expect(agenda.at(entry)).to.equal(before);
          if (hasten) agenda.hasten(entry, at);
          else agenda.set(entry, at);
          const after = hasten ? Math.min(before, at) : at;
          if (after === Infinity) expected.delete(entry);
          else expected.set(entry, after);
          expect(agenda.next).to.equal(Math.min(...expected.values()));
        }
        expect([...agenda.entries()]).to.have.members([...expected.keys()]);
        expect(agenda.take(-1)).to.equal(undefined);
        for (let last = -1; expected.size > 0;) {
          const entry = agenda.take(50)!;
          const at = expected.get(entry)!;
          expect(at).to.be.at.least(last);
          last = at;
          expected.delete(entry);
        }
        expect(agenda.take(50)).to.equal(undefined);
        expect(agenda.next).to.equal(Infinity);
      }),
    );
  });
});
