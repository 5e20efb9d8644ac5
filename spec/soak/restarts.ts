import type { RemotePeer } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';
import { freePort } from '../support/free-port.ts';

export interface Restarts {
  /** The joins and leaves that a witness saw, in order: `+<pid>` and `-<pid> <why>`. */
  story: string[];
  /** Process ids, in the order of the restarts. */
  pids: number[];
  /** Every one of these is a broken promise, in words. */
  broken: string[];
}

const SERVER = `
  import { connect, serve } from 'app-net';
  connect('pid', () => process.pid);
  const serving = serve();
  console.log('["up"]');
  await serving;
`;

/**
 * Kills a process and starts it anew on the same port, so many times. A witness must see each one leave before the
 * next joins, and a handle of one must never reach another.
 * @param id of every one of them; undefined for a new one each time
 */
export async function restarts(count: number, id: string | undefined): Promise<Restarts> {
  const stage = new Stage();
  const processes = new Processes();
  const runtimeDir = await stage.folder();
  const found: Restarts = { story: [], pids: [], broken: [] };
  const handles: { pid: number; peer: RemotePeer }[] = [];
  try {
    const witness = await stage.make({ runtimeDir, name: 'witness' }).start();
    witness.peers.on('join', (peer) => {
      found.story.push(`+${peer.pid}`);
      handles.push({ pid: peer.pid, peer });
    });
    witness.peers.on('leave', (peer, why) => found.story.push(`-${peer.pid} ${why}`));
    const port = String(await freePort());
    const script =
      id === undefined
        ? SERVER
        : `import { configure } from 'app-net';\nconfigure({ id: '${id}' });\n${SERVER}`;
    let running: TestProcess | undefined;
    for (let restart = 0; restart <= count; restart += 1) {
      await running?.kill('SIGKILL');
      running = await processes.start(runtimeDir, script, {
        env: { APP_NET_PORT: port },
        name: 'server.mjs',
      });
      const { pid } = running;
      found.pids.push(pid);
      await eventually(() => handles.some((handle) => handle.pid === pid), 20_000);
      for (const handle of handles) {
        const answer = handle.pid === pid ? handle.peer.call('pid') : failure(handle.peer.call('pid'));
        const value = (await answer) as number | { code?: string };
        if (handle.pid === pid && value !== pid)
          found.broken.push(`${pid} answered as ${JSON.stringify(value)}`);
        if (handle.pid !== pid && (value as { code?: string }).code !== 'NOT_SENT') {
          found.broken.push(`a call to ${handle.pid}, which is gone, came to ${JSON.stringify(value)}`);
        }
      }
    }
  } finally {
    await processes.clear();
    await stage.clear();
  }
  const expected = found.pids.flatMap((pid, index) =>
    index === 0 ? [`+${pid}`] : [`-${found.pids[index - 1]}`, `+${pid}`],
  );
  const seen = found.story.slice(0, expected.length).map((line) => line.split(' ')[0]!);
  if (seen.join() !== expected.join()) found.broken.push(`the witness saw ${found.story.join(', ')}`);
  return found;
}
