// The first part of the set growth: the same calls with more and more peers around. The second is starts.js.
import { withChildren } from '../lib/children.js';
import { reasonOf } from '../lib/rounds.js';
import { median } from '../lib/statistics.js';

export const CALLED_PEERS = [1, 8, 32];

const FULL = { rounds: 3, warm: 600, calls: 800 };
const QUICK = { rounds: 1, warm: 300, calls: 300 };

/** Measures one case; `announce` is told of each step, and a failing step becomes its error. */
export async function measureGrowth({ name, quick, announce }) {
  const times = quick ? QUICK : FULL;
  const calls = new Map(CALLED_PEERS.map((peers) => [peers, []]));
  for (let round = 1; round <= times.rounds; round++) {
    for (const peers of CALLED_PEERS) {
      announce(`${name}: peers called ${peers}, round ${round} of ${times.rounds}`);
      calls.get(peers).push(await orError(() => callsTo(name, peers, times)));
    }
  }
  return [...calls].map(([peers, results]) => ({ peers, ...together(results) }));
}

// One calling peer in one process, all those called in a second: the work per call stays the same
// and only the number of connections differs.
function callsTo(name, peers, times) {
  return withChildren(async (start) => {
    const caller = start('peers.js', [name], { gc: true });
    const called = start('peers.js', [name], { gc: true });
    await Promise.all([caller.ask('load'), called.ask('load')]);
    const names = Array.from({ length: peers }, (_, i) => `called-${i}`);
    await Promise.all([
      called.ask('start', { names, others: peers }),
      caller.ask('start', { names: ['caller'], others: peers }),
    ]);
    await Promise.all([called.ask('joined'), caller.ask('joined')]);
    const measure = async (several) => {
      const window = { inFlight: 64, several };
      await caller.ask('calls', { ...window, ms: times.warm });
      return (await caller.ask('calls', { ...window, ms: times.calls })).callsPerSecond;
    };
    return { all: await measure(true), one: await measure(false), liveBytes: await caller.ask('live') };
  });
}

function together(results) {
  const good = results.filter(({ error }) => error === undefined);
  if (good.length === 0) return { error: results[0].error };
  const of = (key) => good.map((result) => result[key]);
  return {
    all: extremes(of('all')),
    one: extremes(of('one')),
    liveBytes: median(of('liveBytes')),
  };
}

function extremes(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

async function orError(measure) {
  try {
    return await measure();
  } catch (error) {
    return { error: reasonOf(error) };
  }
}
