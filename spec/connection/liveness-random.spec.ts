import * as fc from 'fast-check';

import { anyFates, liveThrough } from '../soak/fates.ts';

describe('whatever happens to the network and to processes', function () {
  this.timeout(60_000);

  it('joins and leaves come in turns, every call settles, and all are together again when it is over', async () => {
    const property = fc.asyncProperty(anyFates, fc.nat({ max: 30 }), liveThrough);
    await fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: 30_000 });
  });
});
