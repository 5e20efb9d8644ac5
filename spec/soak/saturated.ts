import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

const WATCHING = `
  import { peers, serve } from 'app-net';
  let joins = 0;
  let worst = 0;
  let before = performance.now();
  setInterval(() => {
    worst = Math.max(worst, performance.now() - before - 100);
    before = performance.now();
    console.log(JSON.stringify({ joins, worst }));
  }, 100);
  peers.on('join', () => (joins += 1));
  peers.on('leave', (peer, why, evidence) => console.log(JSON.stringify({ left: peer.pid, evidence: String(evidence) })));
  await serve();
`;

/**
 * Keeps every core busy, twice over, for so long while some processes watch each other. Nobody stops: whoever is
 * seen to leave was accused falsely.
 */
export async function saturated(
  count: number,
  milliseconds: number,
): Promise<{ leaves: { left: number; evidence: string }[]; worstLag: number }> {
  const stage = new Stage();
  const processes = new Processes();
  const folder = await stage.folder();
  const burners = [];
  try {
    const all = await Promise.all(
      Array.from({ length: count }, () => processes.start(folder, WATCHING, { name: 'watching.mjs' })),
    );
    const lines = <T>(): T[] => all.flatMap((each) => each.lines as T[]);
    await eventually(
      () =>
        all.every((each) => (each.lines as { joins?: number }[]).some(({ joins }) => joins === count - 1)),
      60_000,
    );
    for (let core = 0; core < 2 * availableParallelism(); core += 1) {
      burners.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    }
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return {
      leaves: lines<{ left: number; evidence: string }>().filter(({ left }) => left !== undefined),
      worstLag: Math.max(...lines<{ worst?: number }>().map(({ worst = 0 }) => worst)),
    };
  } finally {
    for (const burner of burners) burner.kill('SIGKILL');
    await processes.clear();
    await stage.clear();
  }
}
