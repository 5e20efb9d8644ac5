// Run it with `npx vitest run examples/11-simulation/vitest.test.js`.
import { simulate } from 'app-net/testing';
import { test } from 'vitest';

import { careful } from './bank.ts';
import { faults, payments } from './story.ts';

test('the bank books each payment once, whatever happens to the network', async () => {
  await simulate({ seeds: 50, faults }, payments(careful));
}, 60_000);

test('it does so in more broken networks, which all processors make', async () => {
  await simulate({ seeds: 200, faults }, new URL('./careful.story.ts', import.meta.url));
}, 60_000);
