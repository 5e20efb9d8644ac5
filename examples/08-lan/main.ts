// Several hosts, simulated on one: processes with different runtime directories cannot find each other within the host.
// Run it with `npx tsx examples/08-lan/main.ts`. On real hosts you run only `host.ts`; its first line shows how.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { NetError, createPeer } from 'app-net';

// A peer without a secret cannot be opened to the network by accident.
try {
  createPeer({ lan: true, name: 'careless' });
} catch (error) {
  assert.ok(error instanceof NetError && error.code === 'INSECURE');
  console.log(`careless: ${error.message}`);
}

const folder = await mkdtemp(join(tmpdir(), 'app-net-example-'));
// `npx app-net secret --file net.secret` makes such a file. You copy it to each host.
const [ours, theirs] = [join(folder, 'net.secret'), join(folder, 'other.secret')];
for (const file of [ours, theirs]) {
  await writeFile(file, `net1_${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
}

// On a LAN the peers find each other by multicast. Without multicast, you tell a peer the address of another one.
const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
const here = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
const port = await freePort();

const heard: string[] = [];
async function host(name: string, settings: Record<string, string>): Promise<ChildProcess> {
  const runtimeDir = join(folder, name);
  await mkdir(runtimeDir, { mode: 0o700 });
  const child = fork(fileURLToPath(new URL('host.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    env: {
      ...process.env,
      APP_NET_LAN: '1',
      APP_NET_RUNTIME_DIR: runtimeDir,
      APP_NET_NAME: name,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  createInterface({ input: child.stdout! }).on('line', (line) => {
    console.log(`${name}: ${line}`);
    heard.push(`${name}: ${line}`);
  });
  return child;
}
async function until(...starts: string[]): Promise<void> {
  const end = Date.now() + 20_000;
  while (!starts.every((start) => heard.some((line) => line.startsWith(start)))) {
    assert.ok(Date.now() < end, `did not come: ${starts.join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const ada = await host('ada', { APP_NET_SECRET_FILE: ours, APP_NET_PORT: String(port) });
await until('ada: nobody is here yet');
const seed = `${here}:${port}`;
const grace = await host('grace', { APP_NET_SECRET_FILE: ours, APP_NET_PEERS: seed });
// The right address, and the wrong secret.
const mallory = await host('mallory', { APP_NET_SECRET_FILE: theirs, APP_NET_PEERS: seed });
await until('ada: grace has joined', 'grace: ada has joined', 'mallory: nobody is here yet');

grace.kill('SIGKILL');
await until('ada: grace has left (lost)');

for (const child of [ada, mallory]) {
  child.kill('SIGKILL');
  await once(child, 'exit');
}
await rm(folder, { recursive: true, force: true });
assert.ok(!heard.some((line) => line.includes('mallory has') || line.startsWith('mallory: ada')));

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}
