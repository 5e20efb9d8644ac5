import { expect } from 'chai';
import { array, assert, nat, property } from 'fast-check';

import { freeName } from '../../src/connection/free-name.ts';

describe('the name of an actor that has many siblings', () => {
  const free = (used: ReadonlySet<string>): string => freeName('link', used.size, (name) => used.has(name));

  it('is the next one, while no name is given back', () => {
    const used = new Set<string>();
    for (let number = 1; number <= 5; number += 1) {
      expect(free(used)).to.equal(`link:${number}`);
      used.add(`link:${number}`);
    }
  });

  it('is always free, and there are never more names than were in use at once', () => {
    assert(
      property(array(nat(), { maxLength: 60 }), (steps) => {
        const used = new Set<string>();
        const ever = new Set<string>();
        let most = 0;
        for (const step of steps) {
          if (step % 3 === 0 && used.size > 0) {
            used.delete([...used][step % used.size]!);
            continue;
          }
          const name = free(used);
          expect(used).not.to.include(name);
          used.add(name);
          ever.add(name);
          most = Math.max(most, used.size);
        }
        expect(ever.size).to.be.at.most(most);
      }),
    );
  });
});
