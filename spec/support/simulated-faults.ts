import type { Faults } from '../../src/testing.ts';

/** The faults of a bad day. */
export const FAULTS: Faults = {
  ...{ cut: 0.2, oneWayCut: 0.1, stall: 0.1, delay: 0.2 },
  ...{ freeze: 0.1, restart: 0.1, kill: 0.01, skew: 0.05 },
};

/** Runs with fewer links for each peer, as a larger network has them. */
export async function withNeighbours<T>(count: number, run: () => Promise<T>): Promise<T> {
  const before = process.env['APP_NET_NEIGHBOURS'];
  process.env['APP_NET_NEIGHBOURS'] = String(count);
  try {
    return await run();
  } finally {
    if (before === undefined) delete process.env['APP_NET_NEIGHBOURS'];
    else process.env['APP_NET_NEIGHBOURS'] = before;
  }
}
