// Streams in both directions: follow a log of another process, and send it a file.
// Run it with `npx tsx examples/04-streams/main.ts`.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createPeer } from 'app-net';

import type { store, tail } from './worker.ts';

const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-example-'));
const worker = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
  execArgv: ['--import', 'tsx'],
  env: { ...process.env, APP_NET_RUNTIME_DIR: runtimeDir },
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
});
worker.stdout!.pipe(process.stdout);

await using peer = createPeer({ name: 'reader', runtimeDir });
await peer.start();
const [there] = await peer.peers.ready('tail', { signal: AbortSignal.timeout(10_000) });

// Loop over the log as if it were in this process. `break` runs the generator's `finally` in the other process.
const lines: string[] = [];
for await (const line of peer.remote<typeof tail>('tail').on(there)('app.log')) {
  console.log(`(here)  ${line}`);
  lines.push(line);
  if (lines.length === 5) break;
}
await once(worker.stdout!, 'data');

// Any async iterable can be an argument. It is read only as fast as the function in the other process reads it.
const file = fileURLToPath(import.meta.url);
const stored = await peer.remote<typeof store>('store').on(there)('main.ts', createReadStream(file));
console.log(`(here)  stored ${stored.name}: ${stored.size} bytes`);

worker.kill('SIGKILL');
await rm(runtimeDir, { recursive: true, force: true });
assert.deepEqual(lines, ['app.log:1', 'app.log:2', 'app.log:3', 'app.log:4', 'app.log:5']);
assert.equal(
  stored.sha256,
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex'),
);
