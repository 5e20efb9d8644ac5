// Events: a desk tells three workers what there is to do, and listens to two of them.
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

// Nobody is there yet: a subscription covers those that come, and those that come back.
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

// An event reaches who is subscribed when it happens. This waits until all three are.
await todo.ready({ min: 3, signal: AbortSignal.timeout(10_000) });
for (let id = 1; id <= 3; id += 1) console.log(`job ${id} for ${todo.emit({ id })} workers`);

const seen: string[] = [];
for await (const { payload, peer, gap } of finished) {
  // A connection that is lost for a while, or a loop that is too slow, would leave a mark.
  assert.equal(gap, undefined);
  assert.ok(payload.at instanceof Date);
  console.log(`${peer.name} of ${peer.group} has done job ${payload.id}`);
  seen.push(`${peer.name} ${payload.id}`);
  if (seen.length === 6) break;
}

for (const worker of workers) worker.kill('SIGKILL');
await rm(runtimeDir, { recursive: true, force: true });
// Each worker's in order; nothing of linus, who is in another group.
assert.deepEqual(
  seen.filter((each) => each.startsWith('ada')),
  ['ada 1', 'ada 2', 'ada 3'],
);
assert.deepEqual(
  seen.filter((each) => each.startsWith('grace')),
  ['grace 1', 'grace 2', 'grace 3'],
);
