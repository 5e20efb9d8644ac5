// Looks for a bug in a bank with fifty broken networks, and then in the bank without the bug.
// Run it with `npx tsx examples/11-simulation/main.ts`.
import { SimulationError } from 'app-net/testing';

import { careful, careless } from './bank.ts';
import { payments } from './story.ts';

try {
  await payments(careless);
} catch (error) {
  if (!(error instanceof SimulationError)) throw error;
  console.log(error.message);
}

const { stories, virtual } = await payments(careful);
console.log(
  `\nthe careful bank: ${stories} stories, ${Math.round(virtual / 1_000)} virtual seconds, no cent lost`,
);
