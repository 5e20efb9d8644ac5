// The second part of the set growth: many peers that start at the same moment, and one that is killed.
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, withChildren } from '../lib/children.js';
import { reasonOf } from '../lib/rounds.js';
import { median } from '../lib/statistics.js';

export const STARTED_PEERS = [10, 50, 100, 200, 500];

/** On the network in memory, all in one process. */
export const PEERS_IN_MEMORY = 1000;

/** One more holds the peer that is killed. */
const MOST_PROCESSES = 9;

const FULL = { join: 120_000, settle: 2000, idle: 10_000, kills: 5 };
const QUICK = { join: 60_000, settle: 500, idle: 2000, kills: 1 };

/** Measures one case, with more and more peers until one number of them fails; `announce` is told of each step. */
export async function measureStarts({ name, quick, announce, sizes = STARTED_PEERS }) {
  const times = quick ? QUICK : FULL;
  const starts = [];
  for (const peers of sizes) {
    announce(`${name}: ${peers} peers start at once`);
    try {
      starts.push({ peers, ...(await startOf(name, peers, times, announce)) });
    } catch (error) {
      starts.push({ peers, error: reasonOf(error) });
      // More of them would only take longer to fail.
      break;
    }
  }
  return starts;
}

/** The same for app-net on the network in memory: only the time and the processor time. */
export async function measureInMemory({ quick, announce, peers = PEERS_IN_MEMORY }) {
  announce(`app-net: ${peers} peers in memory`);
  try {
    return await withChildren(async (start) => {
      const child = start('memory.js', []);
      await child.ask('load');
      return { peers, ...(await child.ask('start', { peers }, (quick ? QUICK : FULL).join * 2)) };
    });
  } catch (error) {
    return { peers, error: reasonOf(error) };
  }
}

function startOf(name, peers, times, announce) {
  return withChildren(async (start) => {
    const places = await freePlaces(peers);
    const shares = spread(peers, Math.min(peers, MOST_PROCESSES));
    const processes = shares.map(() => start('peers.js', [name]));
    const all = (operation, data, timeoutMs = times.join) =>
      Promise.all(processes.map((one, i) => one.ask(operation, data?.(i), timeoutMs)));
    await all('load');

    const before = { cpu: await all('cpu'), descriptors: await all('descriptors') };
    const startedAt = Date.now();
    await all('start', (i) => ({ names: shares[i], others: peers - 1, places }));
    const joinedAt = (await all('joined')).flat();
    const joined = { cpu: await all('cpu'), written: await all('written') };

    await sleep(times.settle);
    const settled = { cpu: await all('cpu'), written: await all('written') };
    await sleep(times.idle);
    const idle = { cpu: await all('cpu'), written: await all('written') };
    const descriptors = await all('descriptors');
    const perPeer = (first, last) => last.reduce((sum, value, i) => sum + value - first[i], 0) / peers;
    const perSecond = (what) => perPeer(settled[what], idle[what]) / (times.idle / 1000);

    const kills = [];
    for (let number = 0; number < times.kills; number++) {
      announce(`${name}: one more of ${peers} peers is killed, ${number + 1} of ${times.kills}`);
      kills.push(await killOf(start, all, { name, peers, places, number, timeoutMs: times.join }));
    }
    return {
      processes: processes.length,
      firstMs: Math.min(...joinedAt) - startedAt,
      lastMs: Math.max(...joinedAt) - startedAt,
      cpuMs: perPeer(before.cpu, joined.cpu) / 1000,
      writtenBytes: joined.written.reduce((sum, value) => sum + value, 0) / peers,
      idleCpuMs: perSecond('cpu') / 1000,
      idleBytes: perSecond('written'),
      descriptors: perPeer(before.descriptors, descriptors),
      lateMs: median(kills.map(({ lateMs }) => lateMs)),
      killMs: median(kills.map(({ killMs }) => killMs)),
    };
  });
}

/** One more peer, in a process of its own: how long until the last other knows that it is there, and that it was killed. */
async function killOf(start, all, { name, peers, places, number, timeoutMs }) {
  const victim = start('peers.js', [name]);
  await victim.ask('load');
  const of = `killed-${number}`;
  const came = all('came', () => ({ of }));
  const startedAt = Date.now();
  await victim.ask('start', { names: [of], others: peers, places }, timeoutMs);
  await victim.ask('joined', {}, timeoutMs);
  const lateMs = Math.max(...(await came).flat()) - startedAt;
  const went = all('went', () => ({ of }));
  const killedAt = Date.now();
  victim.kill();
  return { lateMs, killMs: Math.max(...(await went).flat()) - killedAt };
}

/** An address for each, for those who cannot find each other: `name` and `port`. */
function freePlaces(peers) {
  return Promise.all(
    Array.from({ length: peers }, async (_, i) => ({ name: `peer-${i}`, port: await freePort() })),
  );
}

/** Names for `peers` peers, dealt out to `processes` processes. */
function spread(peers, processes) {
  const shares = Array.from({ length: processes }, () => []);
  for (let i = 0; i < peers; i++) shares[i % processes].push(`peer-${i}`);
  return shares;
}
