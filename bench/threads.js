// Calls into one worker thread of another process, beside the same function without a thread and behind piscina, in one run. The
// rounds alternate, so that the ratios hold on a machine that has other work. Run it with `npm run bench:threads`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const ROUNDS = 7;
const ROUND_MS = 700;
const IN_FLIGHT = 512;
const COMPUTES_MS = 12_000;
/** Pieces of that time, each between pieces in which nothing computes. */
const LOOK_MS = 1_500;

if (process.argv[2] === 'server') {
  await beServer();
} else {
  const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-bench-'));
  process.env.APP_NET_RUNTIME_DIR = runtimeDir;
  const server = fork(fileURLToPath(import.meta.url), ['server']);
  try {
    await once(server, 'message');
    await measure(server);
  } finally {
    server.kill('SIGKILL');
    await rm(runtimeDir, { recursive: true, force: true });
  }
}

async function beServer() {
  const { Piscina } = await import('piscina');
  const { connect, serve } = await import('../dist/index.js');
  await import('./threads/functions.js');
  const filename = new URL('threads/piscina-worker.js', import.meta.url).href;
  const pool = new Piscina({ filename, minThreads: 1, maxThreads: 1, maxQueue: Infinity });
  connect('add.plain', (a, b) => a + b);
  connect('add.piscina', (a, b) => pool.run([a, b]));
  connect('bytes.plain', (given) => given);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  connect('delay.begin', () => (delay.reset(), delay.enable()));
  connect('delay.end', () => {
    delay.disable();
    return [delay.max, delay.percentile(99)].map((nanoseconds) => Math.max(0, nanoseconds / 1e6 - 5));
  });
  // Processor time of all threads of the process, in µs.
  connect('cpu', () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  });
  process.send('ready');
  await serve();
}

async function measure(server) {
  const { peers, remote, stop } = await import('../dist/index.js');
  const [peer] = await peers.ready(remote('cpu'));
  const call = (tag, ...args) => peer.call(tag, args, { deadline: 60_000 });

  const ways = ['add.plain', 'add.thread', 'add.piscina'];
  const rate = async (tag) => {
    const fn = remote(tag).on(peer);
    let calls = 0;
    const cpu = await call('cpu');
    const start = performance.now();
    const one = async () => {
      while (performance.now() - start < ROUND_MS) {
        await fn(calls, 1);
        calls += 1;
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, one));
    const seconds = (performance.now() - start) / 1_000;
    return { perSecond: calls / seconds, cpu: ((await call('cpu')) - cpu) / calls };
  };
  for (const tag of ways) await rate(tag);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const each = {};
    for (const tag of ways) each[tag] = await rate(tag);
    rounds.push(each);
  }
  for (const tag of ways) {
    const perSecond = median(rounds.map((each) => each[tag].perSecond));
    const cpu = median(rounds.map((each) => each[tag].cpu));
    console.log(
      `${tag.padEnd(12)} ${Math.round(perSecond)} calls/s, ${cpu.toFixed(1)} µs of the server's processor time a call`,
    );
  }
  const ratio = (one, other, what) => median(rounds.map((each) => each[one][what] / each[other][what]));
  const times = (name, of, target) =>
    console.log(
      `${name}: ${of('perSecond').toFixed(2)} by calls/s, ${(1 / of('cpu')).toFixed(2)} by processor time (wanted: ${target})`,
    );
  times('thread / piscina', (what) => ratio('add.thread', 'add.piscina', what), '5');
  times('thread / plain', (what) => ratio('add.thread', 'add.plain', what), '0.5');

  const big = new Uint8Array(4 * 1024 * 1024);
  const durations = { 'bytes.plain': [], 'bytes.thread': [] };
  for (let round = 0; round < 40; round += 1) {
    for (const [tag, list] of Object.entries(durations)) list.push(await timed(() => call(tag, big)));
  }
  const [plain, thread] = Object.values(durations).map(median);
  const more = median(durations['bytes.thread'].map((each, at) => each - durations['bytes.plain'][at]));
  const [best, bestThread] = Object.values(durations).map((list) => Math.min(...list));
  console.log(
    `4 MiB there and back: ${plain.toFixed(1)} ms plain, ${thread.toFixed(1)} ms in a thread, ${more.toFixed(1)} ms more; ` +
      `the fastest ${best.toFixed(1)} and ${bestThread.toFixed(1)} ms, ${(bestThread - best).toFixed(1)} ms more (wanted: 2)`,
  );

  const killed = [];
  for (let round = 0; round < 7; round += 1) {
    await call('spin', 1);
    await peer.call('spin', [60_000], { deadline: 20 }).catch(() => {});
    killed.push(await timed(() => call('spin', 0)));
  }
  console.log(`a killed thread answers again after ${median(killed).toFixed(0)} ms (wanted: 60)`);

  // Once without a pause, and then in pieces that take turns with idle ones: on a machine with other work only the difference says
  // something about the thread.
  const work = call('spin', COMPUTES_MS);
  const whole = await look(peer, call, COMPUTES_MS - 500);
  await work;
  console.log(
    `while a thread computes for ${COMPUTES_MS / 1_000} s: p99 of a ping ${whole.p99.toFixed(1)} ms, ` +
      `p99 of the event loop's delay ${whole.delay99.toFixed(1)} ms, longest ${whole.delay.toFixed(1)} ms`,
  );
  const pieces = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const idle = await look(peer, call, LOOK_MS);
    const piece = call('spin', LOOK_MS + 200);
    pieces.push({ idle, busy: await look(peer, call, LOOK_MS) });
    await piece;
  }
  for (const [what, name] of Object.entries({
    p99: 'p99 of a ping',
    delay99: "p99 of the event loop's delay",
    delay: 'longest delay of the event loop',
  })) {
    const [idle, busy] = ['idle', 'busy'].map((when) => pieces.map((each) => each[when][what]));
    const more = median(busy.map((each, at) => each - idle[at]));
    const [least, leastBusy] = [Math.min(...idle), Math.min(...busy)];
    console.log(
      `${name}: ${median(idle).toFixed(1)} ms idle, ${median(busy).toFixed(1)} ms while a thread computes, ${more.toFixed(1)} ms more; ` +
        `the quietest ${least.toFixed(1)} and ${leastBusy.toFixed(1)} ms, ${(leastBusy - least).toFixed(1)} ms more (wanted: 20)`,
    );
  }
  await stop();
  server.kill('SIGKILL');
}

async function look(peer, call, ms) {
  await call('delay.begin');
  const times = [];
  for (const start = performance.now(); performance.now() - start < ms;) {
    times.push(await peer.ping());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const [delay, delay99] = await call('delay.end');
  times.sort((a, b) => a - b);
  return { p99: times[Math.floor(times.length * 0.99)], delay, delay99 };
}

async function timed(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
