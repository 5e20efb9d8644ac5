import { expect } from 'chai';

import { FaultSource } from '../../src/simulation/faults.ts';
import { FAULTS } from '../support/simulated-faults.ts';

describe('the faults of a seed', () => {
  // Found with seed 1 of `presenceStory(5, 15_000)`: a power has another last digit on Node 24 than on Node 20.
  it('last whole milliseconds, since the last digit of a power is not the same in every version of Node', () => {
    const source = new FaultSource(1, FAULTS);
    const durations = Array.from({ length: 500 }, () => source.next()).flatMap((drawn) =>
      drawn.map(({ duration }) => duration),
    );
    expect(durations.length).to.be.above(200);
    expect(durations.filter((each) => !Number.isInteger(each))).to.deep.equal([]);
    expect(Math.min(...durations)).to.be.within(100, 200);
    expect(Math.max(...durations)).to.be.within(10_000, 15_000);
  });
});
