// How many calls a web page in Chromium makes in a second, to one server in another process, 512 at a time; and how long one call
// takes. Beside it, in the same run, what a bare WebSocket makes with lines of JSON that are sent together. Needs Debian's chromium.
// Run it with `npm run bench:page`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

import { WebSocketServer } from 'ws';

import { createPeer } from '../dist/index.js';

const SECONDS = 3;
const IN_FLIGHT = 512;

if (process.send) await serve();
else await measure();

async function serve() {
  const peer = createPeer({ pages: {}, logLevel: 'error' });
  peer.connect('bench.add', (a, b) => a + b);
  await peer.start();
  const bare = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  bare.on('connection', (socket) => {
    socket.on('message', (data) => {
      const answers = String(data)
        .split('\n')
        .map((line) => {
          const { id, args } = JSON.parse(line);
          return JSON.stringify({ id, value: args[0] + args[1] });
        });
      socket.send(answers.join('\n'));
    });
  });
  await once(bare, 'listening');
  process.on('message', async (origin) => {
    const pass = await peer.pass({ may: ['bench.*'], origins: [origin] });
    process.send({ url: peer.pagesUrl, pass, bare: `ws://127.0.0.1:${bare.address().port}` });
  });
  process.once('disconnect', () => process.exit());
  process.send({});
}

async function measure() {
  const { chromium } = await import('playwright-core');
  const library = await readFile(new URL('../dist/page.js', import.meta.url));
  const site = createServer((request, response) => {
    const isLibrary = request.url === '/page.js';
    response.setHeader('content-type', isLibrary ? 'text/javascript' : 'text/html');
    response.end(isLibrary ? library : '<!doctype html>');
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  const origin = `http://127.0.0.1:${site.address().port}`;
  const server = fork(new URL(import.meta.url));
  await once(server, 'message');
  server.send(origin);
  const [given] = await once(server, 'message');
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  const tab = await browser.newPage();
  await tab.goto(origin);
  const figures = await tab.evaluate(inPage, { ...given, seconds: SECONDS, inFlight: IN_FLIGHT });
  const { rate, bareRate, median } = figures;
  console.log(`${rate} calls/s, ${IN_FLIGHT} at a time; one at a time: ${median} ms (median)`);
  console.log(`${bareRate} calls/s with a bare WebSocket: ${(rate / bareRate).toFixed(2)} of that`);
  await browser.close();
  server.disconnect();
  site.close();
  site.closeAllConnections();
}

async function inPage({ url, pass, bare, seconds, inFlight }) {
  const { connectPage } = await import(`${location.origin}/page.js`);
  const net = await connectPage(url, { pass });
  const add = net.remote('bench.add');
  await add(1, 2);
  const times = [];
  for (let i = 0; i < 300; i += 1) {
    const from = performance.now();
    await add(i, 1);
    times.push(performance.now() - from);
  }
  const socket = new WebSocket(bare);
  await new Promise((resolve) => (socket.onopen = resolve));
  const waiting = new Map();
  let [batch, last] = ['', 0];
  socket.onmessage = ({ data }) => {
    for (const line of data.split('\n')) {
      const { id, value } = JSON.parse(line);
      waiting.get(id)(value);
      waiting.delete(id);
    }
  };
  const flush = () => {
    socket.send(batch);
    batch = '';
  };
  const bareAdd = (...args) =>
    new Promise((resolve) => {
      waiting.set((last += 1), resolve);
      if (batch === '') queueMicrotask(flush);
      else batch += '\n';
      batch += JSON.stringify({ id: last, args });
    });
  const rateOf = async (call) => {
    let made = 0;
    const from = performance.now();
    const end = from + (seconds * 1_000) / 5;
    const caller = async () => {
      while (performance.now() < end) {
        await call(made, 1);
        made += 1;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    return (made / (performance.now() - from)) * 1_000;
  };
  let [rate, bareRate] = [0, 0];
  for (let round = 0; round < 5; round += 1) {
    rate = Math.max(rate, await rateOf(add));
    bareRate = Math.max(bareRate, await rateOf(bareAdd));
  }
  await net.close();
  times.sort((a, b) => a - b);
  return { rate: Math.round(rate), bareRate: Math.round(bareRate), median: Number(times[150].toFixed(2)) };
}
