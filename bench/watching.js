// What it costs that calls are watched: a trace for one call in a hundred (OpenTelemetry), counts for Prometheus, the stream that the
// dashboard reads (`watched`), and that stream after its reader has left (`left`), beside calls that nobody watches. Each way has a caller and a server of its own, and the rounds alternate, so that the ratios hold on a machine
// that has other work. Run it with `node bench/watching.js`. The guard holds the ratios.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(import.meta.url);
const ROUNDS = 9;
const WARM_CALLS = 300_000;
const ROUND_CALLS = 60_000;
const IN_FLIGHT = 512;
const SAMPLED = 0.01;
/** The library, as its processes import it. */
const LIBRARY = process.env.APP_NET_BENCH_LIBRARY ?? '../dist/index.js';

const [, , role, how] = process.argv;
if (role === 'server') await beServer(how);
else if (role === 'caller') await beCaller(how);
else if (process.argv[1] === FILE) {
  for (const [way, { byRate, byTime }] of Object.entries(await watchingRatios()))
    console.log(`${way}: ${byRate.toFixed(3)} by calls/s, ${byTime.toFixed(3)} by processor time`);
}

/** The share of the calls that is left for each way to watch: calls per second, and calls per second of processor time. */
export async function watchingRatios(ways = ['sampled', 'metrics', 'watched', 'left']) {
  const pairs = new Map();
  try {
    for (const way of ['nothing', ...ways]) pairs.set(way, await startPair(way));
    // By calls and not by time: code is made fast after so many calls.
    for (const pair of pairs.values()) await pair.round(WARM_CALLS);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const each = {};
      for (const [way, pair] of pairs) each[way] = await pair.round(ROUND_CALLS);
      rounds.push(each);
    }
    const ratio = (way, of) => median(rounds.map((each) => of(each[way]) / of(each.nothing)));
    return Object.fromEntries(
      ways.map((way) => [
        way,
        { byRate: ratio(way, (each) => each.perSecond), byTime: ratio(way, (each) => 1 / each.cpu) },
      ]),
    );
  } finally {
    for (const pair of pairs.values()) await pair.end();
  }
}

/** A caller and a server. `round` makes calls, and resolves with their rate and their processor time on both sides, in µs. */
export async function startPair(way, library = LIBRARY) {
  const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-bench-'));
  const env = { ...process.env, APP_NET_RUNTIME_DIR: runtimeDir, APP_NET_BENCH_LIBRARY: library };
  const children = [];
  const start = async (what) => {
    const child = fork(FILE, [what, way], { env });
    children.push(child);
    await once(child, 'message');
    return child;
  };
  const end = async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(runtimeDir, { recursive: true, force: true });
  };
  try {
    await start('server');
    const caller = await start('caller');
    const round = async (calls) => {
      caller.send(calls);
      const [measured] = await once(caller, 'message');
      return measured;
    };
    return { round, end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function beServer(way) {
  const { connect, serve } = await import(LIBRARY);
  await watch(way);
  connect('add', (a, b) => a + b);
  connect('cpu', cpu);
  process.send('ready');
  await serve();
}

async function beCaller(way) {
  const { peers, remote } = await import(LIBRARY);
  await watch(way);
  const [peer] = await peers.ready(remote('add'));
  const add = remote('add').on(peer);
  const spent = async () => cpu() + (await peer.call('cpu'));
  process.on('message', async (most) => {
    let calls = 0;
    const before = await spent();
    const start = performance.now();
    const one = async () => {
      while (calls < most) {
        calls += 1;
        await add(calls, 1);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, one));
    const perSecond = calls / ((performance.now() - start) / 1_000);
    process.send({ perSecond, cpu: ((await spent()) - before) / calls });
  });
  process.send('ready');
}

/** Processor time of this process, in µs. */
function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function watch(way) {
  if (way === 'sampled') {
    const { instrument } = await import('../dist/otel.js');
    const { NodeTracerProvider } = await import('@opentelemetry/sdk-trace-node');
    new NodeTracerProvider().register();
    instrument({ sample: SAMPLED, meter: false });
  } else if (way === 'metrics') {
    const { metrics } = await import('../dist/index.js');
    metrics();
  } else if (way === 'watched' || way === 'left') {
    const { peers } = await import('../dist/index.js');
    peers.on('join', async (peer) => {
      for await (const _ of peer.watch()) if (way === 'left') break;
    });
  }
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
