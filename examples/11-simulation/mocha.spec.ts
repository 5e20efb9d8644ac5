// Run it with `npx mocha --no-config --node-option import=tsx examples/11-simulation/mocha.spec.ts`.
import { simulate } from 'app-net/testing';

import { careful } from './bank.ts';
import { faults, payments } from './story.ts';

describe('the bank', function () {
  this.timeout(60_000);

  it('books each payment once, whatever happens to the network', async () => {
    await simulate({ seeds: 50, faults }, payments(careful));
  });

  it('does so in more broken networks, which all processors make', async () => {
    await simulate({ seeds: 200, faults }, new URL('./careful.story.ts', import.meta.url));
  });
});
