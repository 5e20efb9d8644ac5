// Calls through a NATS server, sealed, beside `nc.request` of the NATS client and beside a direct connection. Run it with
// `npm run bench:nats`. It needs `nats-server`, and starts it on a free port.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROUNDS = 3;
const TIME = 1_500;
const FLIGHTS = [1, 64, 512];
const SECRET = `net1_${Buffer.alloc(32, 7).toString('base64url')}`;
const WAYS = ['nc.request', 'app-net over NATS', 'app-net, direct'];

if (process.argv[2] === 'serve') await serve(process.argv[3], process.argv[4]);
else await compare();

async function serve(url, runtimeDir) {
  const { createPeer } = await import('../dist/index.js');
  const { natsNetwork } = await import('../dist/nats.js');
  const { connect } = await import('@nats-io/transport-node');
  for (const network of [natsNetwork({ servers: url }), undefined]) {
    const peer = createPeer({ secret: SECRET, runtimeDir, network });
    peer.connect('add', (a, b) => a + b);
    await peer.start();
  }
  const connection = await connect({ servers: url });
  connection.subscribe('add', {
    callback: (_, message) => {
      const [a, b] = message.json();
      message.respond(JSON.stringify(a + b));
    },
  });
  await connection.flush();
  process.send('ready');
}

async function compare() {
  const folder = await mkdtemp(join(tmpdir(), 'app-net-bench-'));
  const server = spawn('nats-server', ['-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', folder], {
    stdio: 'ignore',
  });
  await once(server, 'spawn');
  const url = await urlOf(join(folder, `nats-server_${server.pid}.ports`));
  const other = fork(fileURLToPath(import.meta.url), ['serve', url, folder]);
  await once(other, 'message');
  const { createPeer } = await import('../dist/index.js');
  const { natsNetwork } = await import('../dist/nats.js');
  const { connect } = await import('@nats-io/transport-node');
  const connection = await connect({ servers: url });
  const calls = {
    'nc.request': async () => (await connection.request('add', '[1,2]', { timeout: 10_000 })).json(),
  };
  const peers = [];
  for (const [way, network] of [
    [WAYS[1], natsNetwork({ servers: url })],
    [WAYS[2], undefined],
  ]) {
    const peer = createPeer({ secret: SECRET, runtimeDir: folder, network, announce: false });
    peers.push(peer);
    await peer.start();
    const [there] = await peer.peers.ready('add');
    const add = peer.remote('add').on(there);
    calls[way] = () => add(1, 2);
  }
  const figures = {};
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const flight of FLIGHTS) {
      for (const way of round % 2 ? WAYS.toReversed() : WAYS) {
        const figure = await run(calls[way], flight);
        // The first round warms up.
        if (round >= 0) ((figures[flight] ??= {})[way] ??= []).push(figure);
      }
    }
  }
  for (const flight of FLIGHTS) {
    const [request, nats, direct] = WAYS.map((way) => figures[flight][way]);
    const rates = [request, nats, direct].map((each) => median(each.map(({ rate }) => rate)));
    const times = [request, nats, direct].map((each) => median(each.map(({ p50 }) => p50)));
    console.log(
      `${flight} in flight: ` +
        WAYS.map((way, at) => `${way} ${Math.round(rates[at])} calls/s, p50 ${times[at].toFixed(3)} ms`).join(
          '; ',
        ) +
        `; NATS ${(rates[1] / rates[0]).toFixed(2)} x nc.request, ${(rates[1] / rates[2]).toFixed(2)} of direct`,
    );
  }
  for (const peer of peers) await peer.stop();
  await connection.close();
  other.kill('SIGKILL');
  server.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
}

async function urlOf(file) {
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text) return JSON.parse(text).nats[0];
    await wait(20);
  }
}

async function run(call, flight) {
  const end = performance.now() + TIME;
  const began = performance.now();
  const took = [];
  let count = 0;
  const caller = async () => {
    for (;;) {
      const at = performance.now();
      if (at >= end) return;
      await call();
      count += 1;
      if (count % 16 === 0) took.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: flight }, caller));
  return { rate: (count * 1_000) / (performance.now() - began), p50: median(took) };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
