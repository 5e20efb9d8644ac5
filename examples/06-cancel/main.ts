// Cancel a call, and let another one exceed its deadline. Both stop the function in the other process.
// Run it with `npx tsx examples/06-cancel/main.ts`.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { NetError, createPeer } from 'app-net';

import type { render } from './worker.ts';

const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-example-'));
const worker = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
  execArgv: ['--import', 'tsx'],
  env: { ...process.env, APP_NET_RUNTIME_DIR: runtimeDir },
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
});
const story = createInterface({ input: worker.stdout! })[Symbol.asyncIterator]();

/** The next line that the worker prints. */
async function said(): Promise<string> {
  const { value } = (await story.next()) as { value: string };
  console.log(value);
  return value;
}

await using peer = createPeer({ name: 'the caller', runtimeDir });
await peer.start();
const [there] = await peer.peers.ready('render', { signal: AbortSignal.timeout(10_000) });
const far = peer.remote<typeof render>('render');

// A cancelled call rejects at once with the reason, and the signal of the function in the other process is aborted.
const stop = new AbortController();
const call = far.on(there, { signal: stop.signal })(1_000_000);
assert.match(await said(), /the caller will wait for long/);
stop.abort(new Error('not needed any more'));
await assert.rejects(call, { message: 'not needed any more' });
assert.match(await said(), /stopped: the caller cancelled the call/);

// The deadline is sent with the call, so the other process stops too.
const late = far.on(there, { deadline: 100 })(1_000_000);
await assert.rejects(late, (error) => {
  assert.ok(error instanceof NetError);
  console.log(`(here)  ${error.code}, ran: ${error.ran}`);
  return error.code === 'DEADLINE_EXCEEDED' && error.ran === 'unknown';
});
assert.match(await said(), /the caller will wait for a moment/);
assert.match(await said(), /stopped: the deadline passed, and the caller no longer waits/);

console.log(`(here)  and one that is given what it needs: ${await far.on(there)(3)}`);
worker.kill('SIGKILL');
await rm(runtimeDir, { recursive: true, force: true });
