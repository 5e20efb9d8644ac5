// Calls to many peers in turn, beside calls to one of them, and beside what sockets allow in the same pattern. Run it with
// `npm run bench:links`. 32 peers in 4 processes are called from a fifth; rounds of all cases alternate.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROUNDS = 5;
const PEERS = 32;
const PROCESSES = 4;
const IN_FLIGHT = [64, 512];
const MS = 500;

/**
 * `ws`: a message for each call and each answer. `tcp`: lines of JSON over sockets, no library, those of a tick in one write.
 * `tcp-turn`: the same with one write for each socket and turn of the event loop, the fewest there can be.
 */
const CASES = ['app-net', 'ws', 'tcp', 'tcp-turn'];
const SECRET = `net1_${Buffer.alloc(32, 7).toString('base64url')}`;

const [, , role, name, folder] = process.argv;
if (role === undefined) await compare();
else await beSide();

async function compare() {
  const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-bench-'));
  const sides = {};
  try {
    for (const each of CASES) {
      const serving = Array.from({ length: PROCESSES }, () => side('serve', each, runtimeDir));
      const places = await Promise.all(serving.map((one) => one('start', PEERS / PROCESSES)));
      const calling = side('call', each, runtimeDir);
      await calling('start', places.flat());
      sides[each] = { serving, calling };
    }
    const rounds = [];
    // The first round warms up.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const figures = {};
      for (const each of round % 2 ? CASES.toReversed() : CASES) {
        for (const flight of IN_FLIGHT) {
          const [one, all] = [
            await measure(sides[each], flight, 1),
            await measure(sides[each], flight, PEERS),
          ];
          (figures[flight] ??= {})[each] = { one, all };
        }
      }
      if (round > 0) rounds.push(figures);
    }
    report(rounds);
  } finally {
    for (const { serving, calling } of Object.values(sides)) {
      for (const each of [...serving, calling]) each.child.kill('SIGKILL');
    }
    await rm(runtimeDir, { recursive: true, force: true });
  }
}

async function measure({ serving, calling }, flight, peers) {
  const used = async () => {
    const all = await Promise.all([...serving, calling].map((each) => each('used')));
    return all.reduce((sum, each) => sum + each, 0);
  };
  const before = await used();
  const { calls, ms } = await calling('calls', { flight, peers });
  return { rate: calls / (ms / 1_000), cost: ((await used()) - before) / calls };
}

function report(rounds) {
  for (const flight of IN_FLIGHT) {
    console.log(
      `${flight} in flight: calls/s to one peer, to ${PEERS} in turn; of those to one; µs of processor a call`,
    );
    for (const each of CASES) {
      const of = (figure) => median(rounds.map((figures) => figure(figures[flight][each], figures[flight])));
      const [one, all] = [of(({ one: { rate } }) => rate), of(({ all: { rate } }) => rate)];
      const ratio = of((mine) => mine.all.rate / mine.one.rate);
      const [oneCost, allCost] = [of((mine) => mine.one.cost), of((mine) => mine.all.cost)];
      const toTurn = of((mine, others) => mine.all.rate / others['tcp-turn'].all.rate);
      console.log(
        `  ${each.padEnd(9)} ${whole(one).padStart(8)} ${whole(all).padStart(8)}   ${ratio.toFixed(2)}   ` +
          `${oneCost.toFixed(1).padStart(4)} ${allCost.toFixed(1).padStart(4)}   ${toTurn.toFixed(2)} of tcp-turn to ${PEERS}`,
      );
    }
  }
}

/** Starts a side. What it returns asks it to do something. */
function side(...args) {
  const child = fork(fileURLToPath(import.meta.url), args);
  const ask = async (what, data) => {
    child.send({ what, data });
    const [answer] = await once(child, 'message');
    return answer;
  };
  return Object.assign(ask, { child });
}

async function beSide() {
  const kinds = { 'app-net': peers, ws: sockets, tcp: streams, 'tcp-turn': streams };
  const { serve, call } = await kinds[name]();
  let adders;
  const work = {
    async start(data) {
      if (role === 'serve') return serve(data);
      adders = await call(data);
    },
    calls: (data) => keepCalling(adders, data),
    used() {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
  };
  process.on('message', async ({ what, data }) => process.send((await work[what](data)) ?? null));
}

async function keepCalling(adders, { flight, peers: number }) {
  const began = performance.now();
  const until = began + MS;
  let calls = 0;
  let next = 0;
  const caller = async () => {
    while (performance.now() < until) {
      next += 1;
      const mine = next;
      if ((await adders[mine % number](mine, 1)) !== mine + 1) throw new Error('a wrong answer');
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: flight }, caller));
  return { calls, ms: performance.now() - began };
}

async function peers() {
  const { createPeer } = await import('../dist/index.js');
  const group = 'called';
  return {
    async serve(number) {
      for (let i = 0; i < number; i += 1) {
        const peer = createPeer({ secret: SECRET, runtimeDir: folder, group });
        peer.connect('add', (a, b) => a + b);
        await peer.start();
      }
    },
    async call() {
      const peer = createPeer({ secret: SECRET, runtimeDir: folder, announce: false });
      const called = peer.peers.of({ group });
      await called.ready('add', { min: PEERS });
      return (await peer.getPeers({ group })).map((each) => (a, b) => each.call('add', [a, b]));
    },
  };
}

async function sockets() {
  const { WebSocket, WebSocketServer } = await import('ws');
  return {
    serve: (number) =>
      listenOften(number, async () => {
        const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
        server.on('connection', (socket) => {
          socket.on('message', (text) => socket.send(answerTo(text)));
        });
        await once(server, 'listening');
        return server.address().port;
      }),
    call: (ports) =>
      Promise.all(
        ports.map(async (port) => {
          const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
          await once(socket, 'open');
          const { add, settle } = pending((text) => socket.send(text));
          socket.on('message', settle);
          return add;
        }),
      ),
  };
}

function streams() {
  return {
    serve: (number) =>
      listenOften(number, async () => {
        const server = createServer({ noDelay: true }, (stream) => {
          const send = collecting(stream);
          readLines(stream, (line) => send(`${answerTo(line)}\n`));
        });
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        return server.address().port;
      }),
    call: (ports) =>
      Promise.all(
        ports.map(async (port) => {
          const stream = connect({ port, host: '127.0.0.1', noDelay: true });
          await once(stream, 'connect');
          const send = collecting(stream);
          const { add, settle } = pending((text) => send(`${text}\n`));
          readLines(stream, settle);
          return add;
        }),
      ),
  };
}

function listenOften(number, listen) {
  return Promise.all(Array.from({ length: number }, listen));
}

function answerTo(text) {
  const { id, args } = JSON.parse(text);
  return JSON.stringify({ id, result: args[0] + args[1] });
}

/** Calls that await their answer. */
function pending(send) {
  const waiting = new Map();
  let last = 0;
  return {
    add: (a, b) =>
      new Promise((resolve) => {
        last += 1;
        waiting.set(last, resolve);
        send(JSON.stringify({ id: last, args: [a, b] }));
      }),
    settle(text) {
      const { id, result } = JSON.parse(text);
      waiting.get(id)(result);
      waiting.delete(id);
    },
  };
}

/** Writes what is sent in one tick, or in one turn, at once. */
function collecting(stream) {
  const later = name === 'tcp-turn' ? setImmediate : process.nextTick;
  let text = '';
  const flush = () => {
    stream.write(text, 'latin1');
    text = '';
  };
  return (line) => {
    if (text === '') later(flush);
    text += line;
  };
}

function readLines(stream, read) {
  let rest = '';
  stream.on('data', (chunk) => {
    const lines = (rest + chunk.latin1Slice()).split('\n');
    rest = lines.pop();
    for (const line of lines) read(line);
  });
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function whole(value) {
  return Math.round(value).toLocaleString('en-US');
}
