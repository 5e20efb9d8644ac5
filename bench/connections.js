// What a connection costs: processor time of both sides until each has the other as a peer, beside a bare `ws` pair whose two
// ends are open. Run it with `npm run bench:connections`. Every side is a process of its own; rounds of the cases alternate.
// Each pair of peers has a secret of its own, so that no gossip about third peers is counted. A third case is the same transport
// and handshake without the actors, which shows where the rest goes.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Fresh processes this often. The median of their ratios is the figure. */
const REPEATS = 5;

/** The first rounds warm up. */
const ROUNDS = 12;
const WARM_ROUNDS = 4;

/** Connections of a round: 8 measured rounds make 512. */
const PAIRS = 64;

/** Connections that a process opens at the same time, as app-net does by itself. */
const AT_ONCE = 16;

/** A peer has done what a start brings with it after this time, in ms. */
const STARTED = 500;

/** What is promised: the cost of a connection as a multiple of that of a bare `ws` pair. */
const TARGET = 1.5;

const CASES = ['app-net', 'handshake', 'ws'];
const LARGEST = 1 << 20;

/** The secret that a pair has in a round. */
const secretOf = (round, number) => `net1_${Buffer.alloc(32, `${round} ${number}`).toString('base64url')}`;

const [, , role, name] = process.argv;
if (role === undefined) process.exitCode = (await compare()) ? 0 : 1;
else await serve(role, name);

async function compare() {
  const all = [];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const figures = await measure(repeat % 2 ? CASES.toReversed() : CASES);
    const [ours, handshake, theirs] = CASES.map((each) => mean(figures[each].slice(WARM_ROUNDS)));
    const cold = figures['app-net'][0] / figures.ws[0];
    all.push({ ours, handshake, theirs, ratio: ours / theirs, part: handshake / theirs, cold });
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
      `the first ${PAIRS} of a process: ${of('cold', 2)}`,
  );
  return all.map(({ ratio }) => ratio).toSorted((a, b) => a - b)[REPEATS >> 1] <= TARGET;
}

/** The µs of one connection, by case and round. */
async function measure(cases) {
  const sides = {};
  const figures = Object.fromEntries(CASES.map((each) => [each, []]));
  try {
    for (const each of cases) sides[each] = [side('accept', each), side('dial', each)];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const each of cases) {
        const [accepting, dialling] = sides[each];
        await dialling('prepare', { round, places: await accepting('prepare', { round }) });
        const before = (await accepting('used')) + (await dialling('used'));
        await Promise.all([accepting('opened'), dialling('dial')]);
        const after = (await accepting('used')) + (await dialling('used'));
        figures[each].push((after - before) / PAIRS);
        await Promise.all([accepting('end'), dialling('end')]);
      }
    }
    return figures;
  } finally {
    for (const { child } of Object.values(sides).flat()) child.kill('SIGKILL');
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
  process.once('disconnect', () => process.exit());
  process.on('message', async ({ what, data }) => {
    process.send((await { used, ...work }[what](data)) ?? null);
  });
}

/** Default peers on the real transport, new ones each round. They find each other when the measurement says so. */
async function peers(role) {
  const { createPeer } = await import('../build/index.js');
  const { webSocketTransport } = await import('../build/transport/websocket.js');
  let joins;
  let started;
  let places;
  const start = async (round, number) => {
    const provider = { name: 'bench', failed() {}, stop: async () => {}, stopNow() {} };
    provider.start = async (self, listener) => {
      Object.assign(provider, { self, found: listener.found });
      listener.scanned();
    };
    const secret = async () => secretOf(round, number);
    const network = { attach: () => ({ transport: webSocketTransport(), providers: [provider], secret }) };
    // The peer with the lower id dials at once. The other one would wait, and pings of idle connections would count.
    const peer = createPeer({ id: `${role === 'dial' ? 'a' : 'b'}-${number}`, network });
    peer.connect('add', (a, b) => a + b);
    peer.peers.on('join', joins.count);
    await peer.start();
    return Object.assign(provider, { peer });
  };
  return {
    async prepare({ round, places: given }) {
      joins = counter();
      places = given;
      started = await Promise.all(Array.from({ length: PAIRS }, (_, number) => start(round, number)));
      await new Promise((resolve) => setTimeout(resolve, STARTED));
      return started.map(({ self: { id, incarnation, addresses } }) => ({ id, incarnation, addresses }));
    },
    opened: () => joins.reach(PAIRS),
    async dial() {
      for (const [number, place] of places.entries()) started[number].found(place);
      await joins.reach(PAIRS);
    },
    end: async () => void (await Promise.all(started.map(({ peer }) => peer.stop({ drainTime: 0 })))),
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
  const describe = () => ({ ...about, ...presence, functions: ['add'] });
  const limits = { message: LARGEST, calls: 1_024, subscriptions: 1_024 };
  const id = role === 'dial' ? 'a' : 'b';
  const self = { id, incarnation: `life-of-${id}`, limits, describe };
  const dependencies = { self, keys: await deriveKeys(secretOf(0, 0)), clock: systemClock };
  const failed = (error) => {
    throw error;
  };
  const open = counter();
  const sockets = [];
  const done = ({ socket }) => {
    sockets.push(socket);
    open.count();
  };
  const options = { host: '127.0.0.1', hostNames: [], ports: [0, 0], largestMessage: LARGEST, origins: [] };
  const accept = (socket) => acceptHandshake(socket, dependencies, { done, failed });
  const listen = async () => (await transport.listen(options, accept)).addresses[0];
  const listening =
    role === 'accept' ? await Promise.all(Array.from({ length: PAIRS }, () => listen())) : undefined;
  let addresses;
  let opened = 0;
  return {
    prepare({ places }) {
      addresses = places;
      opened += PAIRS;
      return listening;
    },
    opened: () => open.reach(opened),
    dial: () =>
      eachOf(addresses, async (address) => {
        const socket = await transport.dial(address, { largestMessage: LARGEST });
        await new Promise((resolve) => {
          dialHandshake(socket, 'b', dependencies, { done: (session) => resolve(done(session)), failed });
        });
      }),
    end() {
      for (const socket of sockets.splice(0)) socket.terminate();
    },
  };
}

async function bare(role) {
  const { WebSocket, WebSocketServer } = await import('ws');
  const open = counter();
  const sockets = [];
  const listen = async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    server.on('connection', open.count);
    await once(server, 'listening');
    return server.address().port;
  };
  const listening =
    role === 'accept' ? await Promise.all(Array.from({ length: PAIRS }, () => listen())) : undefined;
  let ports;
  let opened = 0;
  return {
    prepare({ places }) {
      ports = places;
      opened += PAIRS;
      return listening;
    },
    opened: () => open.reach(opened),
    dial: () =>
      eachOf(ports, async (port) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
        sockets.push(socket);
        await once(socket, 'open');
      }),
    end() {
      for (const socket of sockets.splice(0)) socket.terminate();
    },
  };
}

/** Does it with each of them, with `AT_ONCE` at the same time. */
async function eachOf(all, open) {
  const left = [...all];
  const worker = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await open(next);
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
