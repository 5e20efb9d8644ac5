import * as fc from 'fast-check';

import { anyFates, liveThrough } from '../soak/fates.ts';

describe('under any faults of the network and of processes', function () {
  this.timeout(120_000);

  it('joins and leaves alternate, every call settles, and all peers are together again at the end', async () => {
    const property = fc.asyncProperty(anyFates, fc.nat({ max: 30 }), liveThrough);
    await fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: 30_000 });
  });
});
