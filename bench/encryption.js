// What encryption costs: the same calls within the host and over TLS, to the same address, side by side in rounds. Run it
// with `npm run bench:encryption`. Processor time is what travels; the calls per second are those of this machine now.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROUNDS = 5;
const WAYS = ['plain', 'TLS'];
const SECRET = `net1_${Buffer.alloc(32, 7).toString('base64url')}`;

/** What is called, how many at a time, and how often. */
const LOADS = {
  'add, 512 in flight': { tag: 'add', args: [1, 2], flight: 512, count: 100_000 },
  'add, 64 in flight': { tag: 'add', args: [1, 2], flight: 64, count: 50_000 },
  'add, one at a time': { tag: 'add', args: [1, 2], flight: 1, count: 5_000 },
  'a string of 64 KiB, 8 in flight': { tag: 'length', args: ['x'.repeat(65_536)], flight: 8, count: 2_000 },
};

const own = Object.values(networkInterfaces())
  .flat()
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

if (process.argv[2] === 'serve') await serve(process.argv[3]);
else if (own === undefined) console.log('this host has no address beside loopback: nothing to encrypt');
else await compare();

async function serve(runtimeDir) {
  const { createPeer } = await import('../dist/index.js');
  const peer = createPeer({ lan: true, host: process.argv[4], secret: SECRET, runtimeDir });
  peer.connect('add', (a, b) => a + b);
  peer.connect('length', (text) => text.length);
  peer.connect('used', used);
  await peer.start();
  process.send(peer.actor.getSnapshot().context.opened.listener.addresses[0].port);
}

/** Processor time of this process, in µs. */
function used() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function compare() {
  const figures = new Map();
  const note = (load, way, figure) => {
    const key = `${load}|${way}`;
    figures.set(key, [...(figures.get(key) ?? []), figure]);
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const way of round % 2 ? WAYS.toReversed() : WAYS) {
      await withServer(way, async (peer) => {
        // Both processes have compiled what they need before anything counts.
        for (const load of Object.values(LOADS)) await run(peer, { ...load, count: load.count / 4 });
        for (const [name, load] of Object.entries(LOADS)) note(name, way, await run(peer, load));
      });
    }
  }
  for (const name of Object.keys(LOADS)) {
    const [plain, encrypted] = WAYS.map((way) => figures.get(`${name}|${way}`));
    const line = (what, digits) => {
      const [a, b] = [plain, encrypted].map((each) => median(each.map((figure) => figure[what])));
      return `${a.toFixed(digits)} plain, ${b.toFixed(digits)} TLS`;
    };
    console.log(
      `${name}: calls/s ${line('rate', 0)}; µs of processor a call, both sides: ${line('cost', 1)}`,
    );
  }
}

async function withServer(way, work) {
  const folder = await mkdtemp(join(tmpdir(), 'app-net-bench-'));
  const host = way === 'TLS' ? own : '127.0.0.1';
  // A TLS server of its own; the plain one is reached over loopback.
  const args = ['serve', join(folder, 'server'), ...(way === 'TLS' ? [own] : [])];
  const server = fork(fileURLToPath(import.meta.url), args);
  const { createPeer } = await import('../dist/index.js');
  const [port] = await once(server, 'message');
  const seeds = [`${host}:${port}`];
  const peer = createPeer({ secret: SECRET, runtimeDir: join(folder, 'client'), seeds, announce: false });
  const [there] = await peer.getPeers();
  try {
    await work(there);
  } finally {
    await peer.stop();
    server.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(peer, { tag, args, flight, count }) {
  const before = used() + (await peer.call('used'));
  const began = performance.now();
  let left = count;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      await peer.call(tag, args);
    }
  };
  await Promise.all(Array.from({ length: flight }, caller));
  const took = performance.now() - began;
  return { rate: count / (took / 1_000), cost: (used() + (await peer.call('used')) - before) / count };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
