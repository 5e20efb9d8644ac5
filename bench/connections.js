// What a connection costs: processor time of both sides until each has the other as a peer, beside a bare `ws` pair whose two
// ends are open. Run it with `npm run bench:connections`. Every side is a process of its own; rounds of the cases alternate.
// A third case is the same transport and handshake without the actors. It shows where the rest goes.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Fresh processes this often. The median of their ratios is the figure. */
const REPEATS = 5;

/** Peers that dial, one a round. The first rounds warm up. */
const ROUNDS = 12;
const WARM_ROUNDS = 4;

/** Peers that each of them dials: 8 measured rounds make 512 connections. */
const ACCEPTORS = 64;

/** Connections that a peer opens at the same time. */
const AT_ONCE = 16;

/** What is promised: the cost of a connection as a multiple of that of a bare `ws` pair. */
const TARGET = 1.5;

const CASES = ['app-net', 'handshake', 'ws'];
const LARGEST = 1 << 20;
const SECRET = `net1_${Buffer.alloc(32, 7).toString('base64url')}`;

const [, , role, name] = process.argv;
if (role === undefined) process.exitCode = (await compare()) ? 0 : 1;
else await serve(role, name);

async function compare() {
  const all = [];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const figures = await measure(repeat % 2 ? CASES.toReversed() : CASES);
    const ratios = figures['app-net'].map((ours, round) => ours / figures.ws[round]);
    const [ours, handshake, theirs] = CASES.map((each) => mean(figures[each].slice(WARM_ROUNDS)));
    all.push({ ours, handshake, theirs, ratio: ours / theirs, part: handshake / theirs, cold: ratios[0] });
  }
  const of = (what, digits) => {
    const sorted = all.map((each) => each[what]).toSorted((a, b) => a - b);
    const [least, middle, most] = [0, REPEATS >> 1, REPEATS - 1].map((i) => sorted[i].toFixed(digits));
    return `${middle} (${least}–${most})`;
  };
  console.log(
    `processor time of one connection, both sides, in µs: app-net ${of('ours', 0)}, ` +
      `its handshake without actors ${of('handshake', 0)}, bare ws ${of('theirs', 0)}`,
  );
  console.log(
    `ratio: ${of('ratio', 2)}, target ≤ ${TARGET}; its handshake alone: ${of('part', 2)}; ` +
      `the first ${ACCEPTORS} of a process: ${of('cold', 2)}`,
  );
  return all.map(({ ratio }) => ratio).toSorted((a, b) => a - b)[REPEATS >> 1] <= TARGET;
}

/** The µs of one connection, by case and round. */
async function measure(cases) {
  const sides = {};
  const figures = Object.fromEntries(CASES.map((each) => [each, []]));
  try {
    for (const each of cases) {
      const accepting = side('accept', each);
      const places = await accepting('start');
      const dialling = side('dial', each);
      await dialling('start', places);
      sides[each] = [accepting, dialling];
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const each of cases) {
        const [accepting, dialling] = sides[each];
        const before = (await accepting('used')) + (await dialling('used'));
        await Promise.all([accepting('joined', (round + 1) * ACCEPTORS), dialling('dial', round)]);
        const after = (await accepting('used')) + (await dialling('used'));
        figures[each].push((after - before) / ACCEPTORS);
      }
    }
    return figures;
  } finally {
    for (const each of Object.values(sides).flat()) each.child.kill('SIGKILL');
  }
}

/** Starts a side. What it returns asks it to do something. */
function side(role, name) {
  const child = fork(fileURLToPath(import.meta.url), [role, name]);
  const ask = async (what, data) => {
    child.send({ what, data });
    const [answer] = await once(child, 'message');
    return answer;
  };
  return Object.assign(ask, { child });
}

async function serve(role, name) {
  const work = await { 'app-net': peers, handshake: handshakes, ws: bare }[name](role);
  const used = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  process.on('message', async ({ what, data }) => {
    process.send((await { used, ...work }[what](data)) ?? null);
  });
}

/** Default peers on the real transport. They find each other when the measurement says so. */
async function peers(role) {
  const { createPeer } = await import('../build/index.js');
  const { webSocketTransport } = await import('../build/transport/websocket.js');
  const joins = counter();
  const start = async (_, number) => {
    const provider = { name: 'bench', failed() {}, stop: async () => {}, stopNow() {} };
    provider.start = async (self, listener) => {
      Object.assign(provider, { self, found: listener.found });
      listener.scanned();
    };
    const network = {
      attach: () => ({ transport: webSocketTransport(), providers: [provider], secret: async () => SECRET }),
    };
    // The peer with the lower id dials at once. The other one would wait, and pings of idle connections would count.
    const peer = createPeer({ id: `${role === 'dial' ? 'a' : 'b'}-${number}`, network });
    peer.connect('add', (a, b) => a + b);
    peer.peers.on('join', joins.count);
    await peer.start();
    return provider;
  };
  const startAll = (number) => Promise.all(Array.from({ length: number }, start));
  if (role === 'accept') {
    return {
      start: async () =>
        (await startAll(ACCEPTORS)).map(({ self: { id, incarnation, addresses } }) => ({
          id,
          incarnation,
          addresses,
        })),
      joined: joins.reach,
    };
  }
  let places;
  let diallers;
  return {
    async start(given) {
      places = given;
      diallers = await startAll(ROUNDS);
    },
    async dial(round) {
      for (const place of places) diallers[round].found(place);
      await joins.reach((round + 1) * ACCEPTORS);
    },
  };
}

/** The transport and the handshake of app-net, without its actors. */
async function handshakes(role) {
  const { webSocketTransport } = await import('../build/transport/websocket.js');
  const { acceptHandshake, dialHandshake } = await import('../build/connection/dial/handshaking.js');
  const { deriveKeys } = await import('../build/wire/handshake/secret.js');
  const { systemClock } = await import('../build/base/time/clock.js');
  const transport = webSocketTransport();
  const about = { name: 'bench', group: 'default', hub: false, pid: process.pid, host: 'bench' };
  const presence = { started: Date.now(), version: 1, addresses: [], digest: 'abcdefghijklmnop' };
  const id = role === 'dial' ? 'a' : 'b';
  const self = {
    id,
    incarnation: `life-of-${id}`,
    limits: { message: LARGEST, calls: 1_024, subscriptions: 1_024 },
    describe: () => ({ ...about, ...presence, functions: ['add'] }),
  };
  const dependencies = { self, keys: await deriveKeys(SECRET), clock: systemClock };
  const failed = (error) => {
    throw error;
  };
  if (role === 'accept') {
    const opened = counter();
    const options = { host: '127.0.0.1', hostNames: [], ports: [0, 0], largestMessage: LARGEST, origins: [] };
    const accept = (socket) => acceptHandshake(socket, dependencies, { done: opened.count, failed });
    const listen = async () => (await transport.listen(options, accept)).addresses[0];
    return { start: () => Promise.all(Array.from({ length: ACCEPTORS }, listen)), joined: opened.reach };
  }
  let addresses;
  return {
    start(given) {
      addresses = given;
    },
    dial: () =>
      eachOf(addresses, async (address) => {
        const socket = await transport.dial(address, { largestMessage: LARGEST });
        await new Promise((done) => dialHandshake(socket, 'b', dependencies, { done, failed }));
      }),
  };
}

async function bare(role) {
  const { WebSocket, WebSocketServer } = await import('ws');
  const opened = counter();
  if (role === 'accept') {
    return {
      start: () =>
        Promise.all(
          Array.from({ length: ACCEPTORS }, async () => {
            const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
            server.on('connection', opened.count);
            await once(server, 'listening');
            return server.address().port;
          }),
        ),
      joined: opened.reach,
    };
  }
  let ports;
  const sockets = [];
  const open = async (port) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
    sockets.push(socket);
    await once(socket, 'open');
  };
  return {
    start(given) {
      ports = given;
    },
    dial: () => eachOf(ports, open),
  };
}

/** Does it with each of them, with `AT_ONCE` at the same time. */
async function eachOf(all, work) {
  const left = [...all];
  const worker = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Counts up; `reach` resolves when that many were counted. */
function counter() {
  let counted = 0;
  let wanted = Infinity;
  let resolve;
  return {
    count() {
      counted += 1;
      if (counted >= wanted) resolve();
    },
    reach(number) {
      return new Promise((done) => {
        resolve = done;
        wanted = number;
        if (counted >= wanted) done();
      });
    },
  };
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
