// The main job: two processes find each other. Each one calls functions of the other and gets a result and an error. One is
// killed, and the other one notices. The exit code is 0 if all of this happened, and 1 otherwise.
// Run it with `npm start`.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// A runtime directory of their own: these two processes meet no other peer of this machine.
const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-example-'));
const timeout = AbortSignal.timeout(10_000);

function start(): ChildProcess {
  const app = fileURLToPath(new URL('app.ts', import.meta.url));
  return fork(app, {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, APP_NET_RUNTIME_DIR: runtimeDir },
  });
}

async function hears(child: ChildProcess): Promise<unknown> {
  const [message] = (await once(child, 'message', { signal: timeout })) as [unknown];
  return message;
}

const first = start();
const second = start();
try {
  assert.deepEqual(await Promise.all([hears(first), hears(second)]), [50, 50]);
  console.log(`process ${process.pid}: kills process ${second.pid}`);
  const noticed = hears(first);
  second.kill('SIGKILL');
  assert.equal(await noticed, 'saw a leave');
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const child of [first, second]) child.kill('SIGKILL');
  await rm(runtimeDir, { recursive: true, force: true });
}
