import { expect } from 'chai';

import { Memo } from '../../src/base/memo.ts';

describe('a memo', () => {
  it('forgets what was not asked for lately, and never holds more than it may', () => {
    const memo = new Memo<number>(8);
    for (let index = 0; index < 100; index += 1) {
      memo.set(`${index}`, index);
      expect(memo.get('0'), `after ${index}`).to.equal(0);
    }
    const known = Array.from({ length: 100 }, (_, index) => index).filter(
      (index) => memo.get(`${index}`) !== undefined,
    );
    expect(known).to.include.members([0, 98, 99]);
    expect(known).to.have.length.at.most(8);
    expect(memo.get('1')).to.equal(undefined);
  });
});
