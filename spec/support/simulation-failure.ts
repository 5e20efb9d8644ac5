import { expect } from 'chai';

import { SimulationError, simulate } from '../../src/testing.ts';
import type { SimulationOptions, Story } from '../../src/testing.ts';

/** The failure of a simulation that has to fail. */
export async function failureOf(options: SimulationOptions, story: Story | URL): Promise<SimulationError> {
  try {
    await simulate(options, story);
  } catch (error) {
    if (error instanceof SimulationError) return error;
    throw error;
  }
  return expect.fail('the simulation did not fail');
}
