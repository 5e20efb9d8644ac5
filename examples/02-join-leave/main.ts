// Watch peers join and leave: three workers start, and two of them crash, one after the other.
// Run it with `npx tsx examples/02-join-leave/main.ts`.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createPeer } from 'app-net';

const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-example-'));
const children = new Map<string, ChildProcess>();

function startWorker(name: string): void {
  const worker = fileURLToPath(new URL('worker.ts', import.meta.url));
  const env = { ...process.env, APP_NET_RUNTIME_DIR: runtimeDir };
  children.set(name, fork(worker, [name], { execArgv: ['--import', 'tsx'], env }));
}

await using observer = createPeer({ name: 'observer', runtimeDir });
await observer.start();
for (const name of ['ada', 'grace', 'linus']) startWorker(name);

// The loop gets a snapshot first, and then every change. No change is missed between the two.
const seen: string[] = [];
for await (const change of observer.peers.watch({ signal: AbortSignal.timeout(10_000) })) {
  if (change.type === 'join') {
    console.log(`+ ${change.peer.name} (process ${change.peer.pid})`);
    seen.push(`+ ${change.peer.name}`);
    if (seen.length === 3) children.get('ada')?.kill('SIGKILL');
  }
  if (change.type === 'leave') {
    console.log(`- ${change.peer.name}: ${change.why}`);
    seen.push(`- ${change.peer.name} ${change.why}`);
    if (change.peer.name === 'ada') children.get('grace')?.kill('SIGKILL');
    if (change.peer.name === 'grace') break;
  }
}

children.get('linus')?.kill('SIGKILL');
await rm(runtimeDir, { recursive: true, force: true });
assert.deepEqual(seen.toSorted(), ['+ ada', '+ grace', '+ linus', '- ada lost', '- grace lost']);
