// Another process computes for long, in threads, and answers other calls in the meantime. A call that never ends is stopped.
// Run it with `npx tsx examples/10-threads/main.ts`.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { NetError, createPeer } from 'app-net';

import type { primes } from './primes.ts';

const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-example-'));
const server = fork(fileURLToPath(new URL('server.ts', import.meta.url)), {
  execArgv: ['--import', 'tsx'],
  env: { ...process.env, APP_NET_RUNTIME_DIR: runtimeDir },
});

await using peer = createPeer({ name: 'the caller', runtimeDir });
await peer.start();
const [there] = await peer.peers.ready('hello', { signal: AbortSignal.timeout(20_000) });
const count = peer.remote<typeof primes.count>('primes.count');
const search = peer.remote<typeof primes.search>('primes.search');

// Two threads, so this search does not delay the counting below.
const searched = assert.rejects(
  search.on(there, { deadline: 500 })(),
  (error) => error instanceof NetError && error.code === 'DEADLINE_EXCEEDED',
);

const parts = 20;
let [found, done, slowest] = [0, 0, 0];
for await (const each of count.on(there)(2_000_000, parts)) {
  found += each;
  done += 1;
  const start = performance.now();
  await there.call('hello', ['you']);
  slowest = Math.max(slowest, performance.now() - start);
  console.log(`[${'#'.repeat(done).padEnd(parts)}] ${found} primes`);
}
assert.equal(found, 148_933);
console.log(`${found} primes; the slowest other call in the meantime took ${slowest.toFixed(1)} ms`);

await searched;
console.log('the search did not end in time, and its thread was ended');

server.kill('SIGKILL');
await rm(runtimeDir, { recursive: true, force: true });
