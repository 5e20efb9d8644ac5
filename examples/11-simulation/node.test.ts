// Run it with `node --import tsx --test examples/11-simulation/node.test.ts`.
import { test } from 'node:test';

import { simulate } from 'app-net/testing';

import { careful } from './bank.ts';
import { faults, payments } from './story.ts';

await test('the bank books each payment once, whatever happens to the network', async () => {
  await simulate({ seeds: 50, faults }, payments(careful));
});

await test('it does so in more broken networks, which all processors make', async () => {
  await simulate({ seeds: 200, faults }, new URL('./careful.story.ts', import.meta.url));
});
