// Run it with `node --import tsx --test examples/11-simulation/node.test.ts`.
import { test } from 'node:test';

import { careful } from './bank.ts';
import { payments } from './story.ts';

await test('the bank books each payment once, whatever happens to the network', async () => {
  await payments(careful);
});
