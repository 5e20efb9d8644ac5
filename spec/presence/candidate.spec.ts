import { expect } from 'chai';

import { retryDelay } from '../../src/presence/candidates/candidate.ts';

const latest = () => 1;

describe('a candidate that could not be reached', () => {
  it('is dialled again after a delay that doubles up to 10 s', () => {
    const waits = [1, 2, 3, 6, 7, 50].map((failures) => retryDelay(failures, false, latest));
    expect(waits).to.deep.equal([200, 400, 800, 6_400, 10_000, 10_000]);
  });

  it('is dialled again up to a minute later when a peer with another secret answers', () => {
    const waits = [1, 2, 7, 9, 10, 2_000].map((failures) => retryDelay(failures, true, latest));
    expect(waits).to.deep.equal([200, 400, 12_800, 51_200, 60_000, 60_000]);
  });

  it('is dialled again at a random moment of the delay, so that many peers do not dial at once', () => {
    expect(retryDelay(3, false, () => 0)).to.equal(0);
    expect(retryDelay(3, false, () => 0.5)).to.equal(400);
  });
});
