import { expect } from 'chai';

import type { Gap, Peer } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

describe('a process that ends', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let folder: string;
  let observer: Peer;
  let left: string[];
  let gaps: Gap[];

  beforeEach(async () => {
    folder = await stage.folder();
    left = [];
    gaps = [];
    observer = await stage.make({ runtimeDir: folder }).start();
    observer.event('x').subscribe(() => {}, { onGap: (gap) => gaps.push(gap) });
    observer.peers.on('leave', (_, why) => left.push(why));
  });

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  /** Ends as the code says, after it has emitted something; resolves with its exit code. */
  async function life(end: string): Promise<number | NodeJS.Signals> {
    const script = await processes.start(
      folder,
      `import { createPeer } from 'app-net';
       const peer = await createPeer({ id: 'emitter' }).start();
       const event = peer.event('x');
       await event.ready();
       event.emit('first');
       setTimeout(() => { event.emit('last'); ${end} }, 50);`,
    );
    const before = left.length;
    const code = await script.exited;
    await eventually(() => left.length > before);
    return code;
  }

  const CRASHES: [how: string, code: string][] = [
    ['of an exception', `throw new Error('crash');`],
    ['of a rejection that nobody handled', `Promise.reject(new Error('crash'));`],
    [
      'of an exception after which its own listener ends it',
      `process.on('uncaughtException', () => process.exit(3)); throw new Error('crash');`,
    ],
  ];
  for (const [how, code] of CRASHES) {
    it(`${how} leaves as lost, and its subscribers get a gap when it comes back`, async () => {
      expect(await life(code)).to.be.oneOf([1, 3]);
      expect(left).to.deep.equal(['lost']);
      await life(`process.exit();`);
      expect(gaps.map(({ why }) => why)).to.include('restarted');
    });
  }

  const ORDERLY: [how: string, code: string, exitCode: number][] = [
    ['by process.exit(0)', `process.exit(0);`, 0],
    ['by process.exit(1)', `process.exit(1);`, 1],
    [
      'with code 0, after its own listener let it outlive an exception',
      `process.on('uncaughtException', () => setTimeout(() => process.exit(0), 10)); throw new Error('survived');`,
      0,
    ],
  ];
  for (const [how, code, exitCode] of ORDERLY) {
    it(`${how} leaves as stopped`, async () => {
      expect(await life(code)).to.equal(exitCode);
      expect(left).to.deep.equal(['stopped']);
    });
  }
});
