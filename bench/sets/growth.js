// The set growth: the same work with more and more peers around.
import { setTimeout as sleep } from 'node:timers/promises';
import { withChildren } from '../lib/children.js';
import { reasonOf } from '../lib/rounds.js';
import { median } from '../lib/statistics.js';

export const CALLED_PEERS = [1, 8, 32];
export const JOINING_PEERS = [2, 10, 50, 100];

const MOST_PROCESSES = 10;
const FULL = { rounds: 3, warm: 600, calls: 800, join: 60_000, settle: 1000, idle: 3000 };
const QUICK = { rounds: 1, warm: 300, calls: 300, join: 15_000, settle: 500, idle: 1000 };

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
  const joins = [];
  for (const peers of JOINING_PEERS) {
    announce(`${name}: ${peers} peers joining at once`);
    joins.push({ peers, ...(await orError(() => joinOf(name, peers, times))) });
  }
  return { calls: [...calls].map(([peers, results]) => ({ peers, ...together(results) })), joins };
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

function joinOf(name, peers, times) {
  return withChildren(async (start) => {
    const shares = spread(peers, Math.min(peers, MOST_PROCESSES));
    const processes = shares.map(() => start('peers.js', [name]));
    const all = (operation, data, timeoutMs) =>
      Promise.all(processes.map((one, i) => one.ask(operation, data?.(i), timeoutMs)));
    await all('load');

    const cpuBefore = await all('cpu');
    const startedAt = Date.now();
    await all('start', (i) => ({ names: shares[i], others: peers - 1 }));
    const joinedAt = (await all('joined', undefined, times.join)).flat();
    const cpuAfter = await all('cpu');

    await sleep(times.settle);
    const idleBefore = [await all('written'), await all('cpu')];
    await sleep(times.idle);
    const idleAfter = [await all('written'), await all('cpu')];
    const perPeerSecond = (index) =>
      difference(idleBefore[index], idleAfter[index]) / peers / (times.idle / 1000);

    return {
      processes: processes.length,
      firstMs: Math.min(...joinedAt) - startedAt,
      lastMs: Math.max(...joinedAt) - startedAt,
      cpuMsPerPeer: difference(cpuBefore, cpuAfter) / peers / 1000,
      idleBytes: perPeerSecond(0),
      idleCpuMs: perPeerSecond(1) / 1000,
    };
  });
}

/** Names for `peers` peers, dealt out to `processes` processes. */
function spread(peers, processes) {
  const shares = Array.from({ length: processes }, () => []);
  for (let i = 0; i < peers; i++) shares[i % processes].push(`peer-${i}`);
  return shares;
}

function difference(before, after) {
  return after.reduce((sum, value, i) => sum + value - before[i], 0);
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
