// The main job, whole: two processes find each other, each runs a function in the other and gets its error, one
// is killed and the other notices. Ends with exit code 0 when all of that happened, and with 1 otherwise.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// A meeting place of its own, so that only these two take part, whatever else runs on this machine.
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
