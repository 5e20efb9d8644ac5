// How fast peers find each other and notice a crash: real processes, 20 rounds. Run it with
// `npm run bench:presence`. Times are the system clock's, which the two processes share.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROUNDS = 20;

/** What is promised: the median of each, in ms. */
const TARGETS = { join: 50, leave: 100 };

if (process.argv[2] === 'peer') {
  await bePeer();
} else {
  const runtimeDir = await mkdtemp(join(tmpdir(), 'app-net-bench-'));
  try {
    process.exitCode = (await measure(runtimeDir)) ? 0 : 1;
  } finally {
    await rm(runtimeDir, { recursive: true, force: true });
  }
}

async function bePeer() {
  const { createPeer } = await import('../dist/index.js');
  const peer = createPeer();
  peer.peers.on('join', () => process.send({ type: 'join', at: Date.now() }));
  peer.peers.on('leave', () => process.send({ type: 'leave', at: Date.now() }));
  await peer.start();
  process.send({ type: 'listening', at: Date.now() });
}

async function measure(runtimeDir) {
  const start = () => {
    const env = { ...process.env, APP_NET_RUNTIME_DIR: runtimeDir };
    return fork(fileURLToPath(import.meta.url), ['peer'], { env });
  };
  const heard = async (child, type) => {
    for (;;) {
      // Messages come one after the other.
      const [message] = await once(child, 'message');
      if (message.type === type) return message.at;
    }
  };
  const joins = [];
  const leaves = [];
  const witness = start();
  await heard(witness, 'listening');
  for (let round = 0; round < ROUNDS; round += 1) {
    const joined = heard(witness, 'join');
    const other = start();
    const listening = await heard(other, 'listening');
    // The witness may see it before it has said that it listens.
    joins.push(Math.max(0, (await joined) - listening));
    const left = heard(witness, 'leave');
    const killedAt = Date.now();
    other.kill('SIGKILL');
    leaves.push((await left) - killedAt);
  }
  witness.kill('SIGKILL');
  return [report('join', joins), report('leave', leaves)].every(Boolean);
}

function report(name, times) {
  const sorted = times.toSorted((a, b) => a - b);
  const median = (sorted[ROUNDS / 2 - 1] + sorted[ROUNDS / 2]) / 2;
  const what = { join: 'second is listening → join', leave: 'SIGKILL → leave' }[name];
  const target = TARGETS[name];
  console.log(
    `${what}: median ${median} ms, ${sorted[0]} to ${sorted.at(-1)} ms in ${ROUNDS} rounds (target ≤ ${target} ms)`,
  );
  return median <= target;
}
