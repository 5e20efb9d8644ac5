// How fast bytes go through calls and streams, next to the binary messages of a bare `ws` socket: 64 MiB, in pieces, from
// one process to another. Run it with `npm run bench:binary`; it takes some ten seconds.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { WebSocket, WebSocketServer } from 'ws';

import { createPeer } from '../dist/index.js';

const TOTAL = 64 * 1024 * 1024;
const SIZES = [256 * 1024, 1024 * 1024];
const ROUNDS = 7;
/** Pieces that are on their way at once. */
const WINDOW = 48;

if (process.argv[2] === 'receiver') await receive();
else await measure();

async function receive() {
  const peer = createPeer();
  peer.connect('take', (piece) => piece.byteLength);
  peer.connect('take all', async (pieces) => {
    let received = 0;
    for await (const piece of pieces) received += piece.byteLength;
    return received;
  });
  peer.connect('give all', async function* give(size, count) {
    const piece = Buffer.alloc(size, 'bytes');
    for (let left = count; left > 0; left -= 1) yield piece;
  });
  await peer.start();
  const listener = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(listener, 'listening');
  listener.on('connection', (socket) => {
    let received = 0;
    socket.on('message', (data) => {
      received += data.byteLength;
      if (received % TOTAL === 0) socket.send('all');
    });
  });
  process.send({ id: peer.id, port: listener.address().port });
}

async function measure() {
  const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-bench-'));
  process.env.APP_NET_RUNTIME_DIR = runtimeDir;
  const receiver = fork(fileURLToPath(import.meta.url), ['receiver'], { env: process.env });
  try {
    const [{ id, port }] = await once(receiver, 'message');
    const peer = createPeer();
    await peer.start();
    const far = (await peer.getPeers()).find((each) => each.id === id);
    // A mask of zeros, as app-net uses it: the mask that `ws` makes costs a walk over every byte.
    const options = { perMessageDeflate: false, generateMask: () => {} };
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, options);
    await once(socket, 'open');
    const ways = { ws: (piece, count) => overSocket(socket, piece, count) };
    ways.calls = (piece, count) => overCalls(far, piece, count);
    ways['stream there'] = (piece, count) => streamThere(far, piece, count);
    ways['stream back'] = (piece, count) => streamBack(far, piece, count);
    for (const size of SIZES) await compare(size, ways);
    socket.terminate();
    await peer.stop();
  } finally {
    receiver.kill('SIGKILL');
    await rm(runtimeDir, { recursive: true, force: true });
  }
}

async function compare(size, ways) {
  const piece = Buffer.alloc(size, 'bytes');
  const rates = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [name, send] of Object.entries(ways)) {
      const begun = performance.now();
      await send(piece, TOTAL / size);
      const rate = TOTAL / 2 ** 20 / ((performance.now() - begun) / 1000);
      // The first round warms up.
      if (round >= 0) rates[name].push(rate);
    }
  }
  for (const [name, own] of Object.entries(rates)) {
    const ratio = median(own.map((rate, round) => rate / rates.ws[round]));
    const text = `${name} ${median(own).toFixed(0)} MiB/s, median ratio ${ratio.toFixed(2)}`;
    console.log(`${size / 1024} KiB a piece: ${text}`);
  }
}

async function overSocket(socket, piece, count) {
  const all = once(socket, 'message');
  await inParallel(count, () => new Promise((resolve) => socket.send(piece, resolve)));
  await all;
}

function overCalls(far, piece, count) {
  return inParallel(count, async () => {
    if ((await far.call('take', [piece])) !== piece.byteLength) throw new Error('bytes were lost');
  });
}

async function streamThere(far, piece, count) {
  async function* pieces() {
    for (let left = count; left > 0; left -= 1) yield piece;
  }
  if ((await far.call('take all', [pieces()])) !== TOTAL) throw new Error('bytes were lost');
}

async function streamBack(far, piece, count) {
  let received = 0;
  for await (const each of far.stream('give all', [piece.byteLength, count])) received += each.byteLength;
  if (received !== TOTAL) throw new Error('bytes were lost');
}

async function inParallel(count, run) {
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      await run();
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, one));
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
