import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'chai';

import type { RemotePeer } from '../../src/index.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

/** Calls/s are not asked here, only how long most of them take. */
async function times(peer: RemotePeer, count: number): Promise<number[]> {
  const taken: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const start = performance.now();
    await peer.call('quick', [n]);
    taken.push(performance.now() - start);
    await sleep(1);
  }
  return taken.toSorted((a, b) => a - b);
}

const at = (sorted: number[], share: number): number => sorted[Math.floor(sorted.length * share)]!;

describe('a stream between processes', () => {
  const stage = new Stage();
  const processes = new Processes();

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  /** Sends a GiB to whoever reads it, and tells what memory it takes. */
  const WRITER = `
    import { connect, serve } from 'app-net';
    let sent = 0;
    connect('gigabyte', async function* (text) {
      for (let n = 0; n < 1024; n += 1) {
        sent += 1;
        yield text ? 'x'.repeat(1024 * 1024) : new Uint8Array(1024 * 1024);
      }
    });
    connect('quick', (n) => n);
    connect('memory', () => {
      global.gc();
      const { heapUsed, external } = process.memoryUsage();
      return { used: heapUsed + external, sent };
    });
    await serve();`;

  for (const [kind, text] of [
    ['bytes', false],
    ['text', true],
  ] as const) {
    it(`holds its source, and not memory, when nobody reads it any more: ${kind}`, async () => {
      const runtimeDir = await stage.folder();
      await processes.start(runtimeDir, WRITER, { env: { NODE_OPTIONS: '--expose-gc' } });
      const peer = await stage.make({ runtimeDir }).start();
      const [writer] = (await peer.peers.ready('gigabyte')) as [RemotePeer];
      type Memory = { used: number; sent: number };
      await times(writer, 20);
      const quiet = await times(writer, 200);
      const before = (await writer.call('memory')) as Memory;
      await processes.start(
        runtimeDir,
        `import { peers } from 'app-net';
         const [writer] = await peers.ready('gigabyte');
         for await (const _ of writer.stream('gigabyte', [${text}])) process.kill(process.pid, 'SIGSTOP');`,
      );
      let now = before;
      for (let last = -1; now.sent === 0 || now.sent !== last;) {
        last = now.sent;
        await sleep(100);
        now = (await writer.call('memory')) as Memory;
      }
      const busy = await times(writer, 200);
      const grown = (now.used - before.used) / 2 ** 20;
      const [p50, p99] = [at(busy, 0.5) / at(quiet, 0.5), at(busy, 0.99) / at(quiet, 0.99)];
      console.log(
        `      ${now.sent} of 1024 MiB begun, ${grown.toFixed(1)} MiB held; calls of others: p50 x ${p50.toFixed(2)}, p99 x ${p99.toFixed(2)}`,
      );
      expect(now.sent).to.be.below(64);
      expect(grown).to.be.at.most(16);
    }).timeout(120_000);
  }

  it('ends on each side within moments when the other side is killed', async () => {
    const runtimeDir = await stage.folder();
    const SOURCE = `
      import { connect, serve } from 'app-net';
      connect('ticks', async function* () {
        try {
          for (let n = 0; ; n += 1) {
            yield n;
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        } finally {
          console.log('finally');
        }
      });
      await serve();`;
    const READER = `
      import { peers } from 'app-net';
      const [source] = await peers.ready('ticks');
      try {
        for await (const n of source.stream('ticks')) if (n === 5) console.log('reads');
      } catch (error) {
        console.log(error.code, error.ran);
      }`;
    const source = await processes.start(runtimeDir, SOURCE);
    const reader = await processes.start(runtimeDir, READER);
    await reader.line((line) => line === 'reads');
    await reader.kill();
    await source.line((line) => line === 'finally');
    const other = await processes.start(runtimeDir, READER);
    await other.line((line) => line === 'reads');
    await source.kill();
    await other.line((line) => line === 'CONNECTION_LOST yes');
    expect(await other.exited).to.equal(0);
  }).timeout(120_000);
});
