// Run it with `npx mocha --no-config --node-option import=tsx examples/11-simulation/mocha.spec.ts`.
import { careful } from './bank.ts';
import { payments } from './story.ts';

describe('the bank', function () {
  this.timeout(60_000);

  it('books each payment once, whatever happens to the network', async () => {
    await payments(careful);
  });
});
