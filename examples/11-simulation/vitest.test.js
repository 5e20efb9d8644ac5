// Run it with `npx vitest run examples/11-simulation/vitest.test.js`.
import { test } from 'vitest';

import { careful } from './bank.ts';
import { payments } from './story.ts';

test('the bank books each payment once, whatever happens to the network', async () => {
  await payments(careful);
}, 60_000);
