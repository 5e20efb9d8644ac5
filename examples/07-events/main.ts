// Events: a desk sends jobs to three workers, and listens to two of them.
// Run it with `npx tsx examples/07-events/main.ts`.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { configure } from 'app-net';

import { done, todo } from './jobs.ts';

const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-example-'));
configure({ name: 'desk', runtimeDir });

// No worker runs yet. A subscription includes peers that join later, and peers that come back.
const finished = done.stream({ from: { group: 'gpu' }, signal: AbortSignal.timeout(10_000) });

const workers = [
  { APP_NET_NAME: 'ada', APP_NET_GROUP: 'gpu' },
  { APP_NET_NAME: 'grace', APP_NET_GROUP: 'gpu' },
  { APP_NET_NAME: 'linus', APP_NET_GROUP: 'cpu' },
].map((settings) =>
  fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, APP_NET_RUNTIME_DIR: runtimeDir, ...settings },
  }),
);

// An event goes to the peers that are subscribed when it is emitted. Wait until all three are.
await todo.ready({ min: 3, signal: AbortSignal.timeout(10_000) });
for (let id = 1; id <= 3; id += 1) console.log(`job ${id} for ${todo.emit({ id })} workers`);

const seen: string[] = [];
for await (const { payload, peer, gap } of finished) {
  // A lost connection or a loop that is too slow would show here as a gap.
  assert.equal(gap, undefined);
  assert.ok(payload.at instanceof Date);
  console.log(`${peer.name} of ${peer.group} has done job ${payload.id}`);
  seen.push(`${peer.name} ${payload.id}`);
  if (seen.length === 6) break;
}

for (const worker of workers) worker.kill('SIGKILL');
await rm(runtimeDir, { recursive: true, force: true });
// The events of each worker are in order. There is none of linus, which is in another group.
assert.deepEqual(
  seen.filter((each) => each.startsWith('ada')),
  ['ada 1', 'ada 2', 'ada 3'],
);
assert.deepEqual(
  seen.filter((each) => each.startsWith('grace')),
  ['grace 1', 'grace 2', 'grace 3'],
);
