// Calls through a NATS server, sealed, beside `nc.request` of the NATS client and beside a direct connection; then many peers over
// one server, and very many simulated members. Run it with `npm run bench:nats`, and only one of the last two parts with
// `npm run bench:nats -- --peers 200` or `-- --members 2000`. It needs `nats-server`, and starts it on a free port.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { members } from './nats-members.js';

const ROUNDS = 3;
const TIME = 1_500;
const FLIGHTS = [1, 64, 512];
const SECRET = `net1_${Buffer.alloc(32, 7).toString('base64url')}`;
const WAYS = ['nc.request', 'app-net over NATS', 'app-net, direct'];

const PEERS = 50;
const MEMBERS = 2_000;
const PROCESSES = 10;
/** How long the messages of an idle network are counted, in ms. */
const IDLE = 10_000;

const [, , what, ...given] = process.argv;
if (what === 'serve') await serve(...given);
else if (what === 'many') await beMany(...given);
else await measure(what, Number(given[0]));

async function measure(part, count) {
  const folder = await mkdtemp(join(tmpdir(), 'app-net-bench-'));
  const options = ['-a', '127.0.0.1', '-p', '-1', '-m', '-1', '--ports_file_dir', folder];
  const server = spawn('nats-server', options, { stdio: 'ignore' });
  try {
    await once(server, 'spawn');
    const { nats, monitoring } = await portsOf(join(folder, `nats-server_${server.pid}.ports`));
    if (part === undefined) await compare(nats[0], folder);
    if (part !== '--members') await meet(nats[0], monitoring[0], count || PEERS);
    if (part !== '--peers') await members(nats[0], monitoring[0], server.pid, SECRET, count || MEMBERS);
  } finally {
    server.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

/** So many peers of one process, which tell when each of them knows all others, and when the victim has left for each. */
async function beMany(url, count, all) {
  const { createPeer } = await import('../dist/index.js');
  const { natsNetwork } = await import('../dist/nats.js');
  const waiting = { all: Number(count), left: Number(count) };
  const tell = (what) => {
    waiting[what] -= 1;
    if (what === 'left') process.send({ one: Date.now() });
    if (waiting[what] === 0) process.send({ [what]: Date.now() });
  };
  const peers = Array.from({ length: Number(count) }, () => {
    const peer = createPeer({ secret: SECRET, network: natsNetwork({ servers: url }), name: 'one' });
    let others = 0;
    peer.peers.on('join', () => (others += 1) === Number(all) - 1 && tell('all'));
    peer.peers.on('leave', ({ name }) => name === 'victim' && tell('left'));
    return peer;
  });
  process.on('message', () => Promise.all(peers.map((peer) => peer.start())));
  process.on('disconnect', () => process.exit());
  process.send('ready');
}

/** Many peers start at once over one server; then one more joins and is killed. */
async function meet(url, monitoring, count) {
  const children = [];
  const start = async (peers, all) => {
    const child = fork(fileURLToPath(import.meta.url), ['many', url, peers, all]);
    children.push(child);
    await once(child, 'message');
    return child;
  };
  const told = (child, what) =>
    new Promise((resolve) => child.on('message', (message) => message[what] && resolve(message[what])));
  try {
    const each = Math.ceil(count / PROCESSES);
    await Promise.all(Array.from({ length: PROCESSES }, () => start(each, each * PROCESSES)));
    const began = Date.now();
    const all = Promise.all(children.map((child) => told(child, 'all')));
    for (const child of children) child.send('start');
    console.log(
      `${each * PROCESSES} peers at once over one server: all know all after ${Math.max(...(await all)) - began} ms`,
    );
    const messages = async () => (await (await fetch(`${monitoring}/varz`)).json()).in_msgs;
    await wait(IDLE);
    const before = await messages();
    await wait(IDLE);
    console.log(
      `idle: ${Math.round(((await messages()) - before) / (IDLE / 1_000))} messages a second to the server`,
    );
    await killOne(url, children, told);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

async function killOne(url, children, told) {
  const script = `
    const { createPeer } = await import('${new URL('../dist/index.js', import.meta.url).href}');
    const { natsNetwork } = await import('${new URL('../dist/nats.js', import.meta.url).href}');
    await createPeer({ secret: '${SECRET}', network: natsNetwork({ servers: '${url}' }), name: 'victim' }).start();`;
  const victim = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  // Long enough for everybody to hear of it.
  await wait(5_000);
  const last = Promise.all(children.map((child) => told(child, 'left')));
  const first = Promise.any(children.map((child) => told(child, 'one')));
  const killed = Date.now();
  victim.kill('SIGKILL');
  console.log(
    `SIGKILL of one more: the first knows after ${(await first) - killed} ms, the last after ${Math.max(...(await last)) - killed} ms`,
  );
}

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

async function compare(url, folder) {
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
}

async function portsOf(file) {
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text) return JSON.parse(text);
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
