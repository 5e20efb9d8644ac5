// Looks for a bug in a bank with fifty broken networks, and then in the bank without the bug.
// Run it with `npx tsx examples/11-simulation/main.ts`.
import { SimulationError, simulate } from 'app-net/testing';

import { careless } from './bank.ts';
import { faults, payments } from './story.ts';

try {
  await simulate({ seeds: 50, faults }, payments(careless));
} catch (error) {
  if (!(error instanceof SimulationError)) throw error;
  console.log(error.message);
}

// In worker threads, which share the seeds.
const { stories, virtual } = await simulate(
  { seeds: 50, faults },
  new URL('./careful.story.ts', import.meta.url),
);
console.log(
  `\nthe careful bank: ${stories} stories, ${Math.round(virtual / 1_000)} virtual seconds, no cent lost`,
);
