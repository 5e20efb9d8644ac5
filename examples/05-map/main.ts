// Count the primes below four million in three processes. One of them crashes, a new one starts, and no result is lost.
// Run it with `npx tsx examples/05-map/main.ts`. It needs `npm install cli-progress`.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createPeer } from 'app-net';
import { SingleBar } from 'cli-progress';

import type { countPrimes } from './worker.ts';

const BELOW = 4_000_000;
const STEP = 20_000;

const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-example-'));
const workers: ChildProcess[] = [];

function startWorker(): void {
  const worker = fileURLToPath(new URL('worker.ts', import.meta.url));
  const env = { ...process.env, APP_NET_RUNTIME_DIR: runtimeDir };
  workers.push(fork(worker, { execArgv: ['--import', 'tsx'], env }));
}

for (let count = 0; count < 3; count += 1) startWorker();

await using peer = createPeer({ name: 'main', runtimeDir });
const count = peer.remote<typeof countPrimes>('countPrimes', { idempotent: true });
await peer.peers.ready(count, { min: 3, signal: AbortSignal.timeout(20_000) });

/** `map` takes the next range when a process is free, so an endless generator would work, too. */
function* ranges(): Generator<{ from: number; to: number }> {
  for (let from = 0; from < BELOW; from += STEP) yield { from, to: from + STEP };
}

const bar = new SingleBar({
  format: '{bar} {value}/{total}  {running} running on {peers} processes',
  // CI has no terminal. It gets a line every two seconds instead.
  noTTYOutput: true,
});
bar.start(BELOW / STEP, 0, { running: 0, peers: 0 });

let primes = 0;
let answers = 0;
const processes = new Set<number>();
const results = count.map(ranges(), {
  args: ({ from, to }) => [from, to],
  onProgress: ({ done, running, peers }) => bar.update(done, { running, peers }),
});
for await (const result of results) {
  if (result.status === 'rejected') throw result.reason;
  primes += result.value;
  answers += 1;
  processes.add(result.peer.pid);
  if (answers === 60) {
    const joined = new Promise((resolve) => peer.peers.once('join', resolve));
    workers[0]?.kill('SIGKILL');
    startWorker();
    // While this loop waits, the other processes work a little ahead of it.
    await joined;
  }
}
bar.stop();
console.log(`${primes} primes below ${BELOW}, counted by ${processes.size} processes`);

for (const worker of workers) worker.kill('SIGKILL');
await rm(runtimeDir, { recursive: true, force: true });
assert.equal(answers, BELOW / STEP);
assert.equal(primes, 283_146);
assert.ok(processes.has(workers[3]!.pid!), 'the new one took part');
