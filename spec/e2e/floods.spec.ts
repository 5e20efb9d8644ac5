import { expect } from 'chai';

import type { RemotePeer } from '../../src/index.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

interface Work {
  begun: number;
  running: number;
  most: number;
}

describe('a process that is flooded with calls', () => {
  const stage = new Stage();
  const processes = new Processes();

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  /** Counts what runs, and runs nothing for longer than it has to. */
  const SERVER = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { connect, serve } from 'app-net';
    const work = { begun: 0, running: 0, most: 0 };
    connect('work', async (ms) => {
      work.begun += 1;
      work.running += 1;
      work.most = Math.max(work.most, work.running);
      await sleep(ms);
      work.running -= 1;
      return 'done';
    });
    connect('seen', () => work);
    await serve();`;

  async function server(): Promise<{ runtimeDir: string; toServer: RemotePeer }> {
    const runtimeDir = await stage.folder();
    await processes.start(runtimeDir, SERVER);
    const peer = await stage.make({ runtimeDir }).start();
    const [toServer] = (await peer.peers.ready('seen')) as [RemotePeer];
    return { runtimeDir, toServer };
  }

  it('answers ten thousand at once over one connection, and never runs more than the limit', async () => {
    const { toServer } = await server();
    const calls = Array.from({ length: 10_000 }, () => toServer.call('work', [5]));
    expect(new Set(await Promise.all(calls))).to.deep.equal(new Set(['done']));
    const seen = (await toServer.call('seen')) as Work;
    expect(seen).to.include({ begun: 10_000, running: 0 });
    expect(seen.most).to.be.at.most(1_024);
  }).timeout(120_000);

  it('answers others all the time while a hundred thousand calls are cancelled at once', async () => {
    const { runtimeDir, toServer } = await server();
    const flooder = await processes.start(
      runtimeDir,
      `import { peers } from 'app-net';
       const [server] = await peers.ready('work');
       const outcomes = new Map();
       const calls = [];
       for (let n = 0; n < 100_000; n += 1) {
         const stop = new AbortController();
         calls.push(server.call('work', [5], { signal: stop.signal }).then(
           () => 'done',
           (reason) => reason,
         ));
         stop.abort('enough');
         if (n % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
       }
       for (const each of await Promise.all(calls)) outcomes.set(each, (outcomes.get(each) ?? 0) + 1);
       console.log(JSON.stringify([...outcomes]));`,
    );
    let flooding = true;
    const ended = flooder.line(Array.isArray, 50_000).finally(() => (flooding = false));
    let answered = 0;
    let longest = 0;
    while (flooding) {
      const start = performance.now();
      expect(await toServer.call('work', [1])).to.equal('done');
      longest = Math.max(longest, performance.now() - start);
      answered += 1;
    }
    expect(await ended).to.deep.equal([['enough', 100_000]]);
    const seen = (await toServer.call('seen')) as Work;
    console.log(
      `      ${answered} calls of another peer answered meanwhile, the slowest in ${longest.toFixed(0)} ms; ` +
        `${seen.begun - answered} of the flood were begun, at most ${seen.most} at once`,
    );
    expect(answered).to.be.above(0);
    // Those of the flood, and the one of this peer.
    expect(seen.most).to.be.at.most(1_024 + 1);
  }).timeout(120_000);
});
