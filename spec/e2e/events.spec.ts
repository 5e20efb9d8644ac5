import { readdir } from 'node:fs/promises';

import { expect } from 'chai';

import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

const EVENTS = 100_000;
const PROCESSES = 10;
const PEERS = 5;

/** Peers that subscribe, and say at the end what they got. Not announced: they know the emitter, and not each other. */
const SUBSCRIBER = `
  import { createPeer } from 'app-net';
  for (let index = 0; index < ${PEERS}; index += 1) {
    const peer = createPeer({ announce: false });
    let received = 0, wrong = 0, gaps = 0, last = 0;
    peer.event('tick').subscribe((n, { gap }) => {
      received += 1;
      if (n !== last + 1) wrong += 1;
      last = n;
      if (gap) gaps += 1;
      if (n === ${EVENTS}) console.log(JSON.stringify({ received, wrong, gaps }));
    });
    await peer.start();
  }
`;

const EMITTER = `
  import { createPeer } from 'app-net';
  const peer = await createPeer({ name: 'emitter' }).start();
  const tick = peer.event('tick');
  await tick.ready({ min: ${PROCESSES * PEERS} });
  const start = performance.now();
  for (let n = 1; n <= ${EVENTS}; n += 1) {
    tick.emit(n);
    if (n % 500 === 0) await tick.drained();
    if (n % 50 === 0) await new Promise(setImmediate);
  }
  await tick.drained();
  const { emitted, sent, dropped, queued } = peer.actor.system.get('events').getSnapshot().context;
  console.log(JSON.stringify({ emitted, sent, dropped, queued, took: Math.round(performance.now() - start) }));
`;

/** Tells each gap, and each thousandth event. */
const LISTENER = `
  import { createPeer } from 'app-net';
  const peer = createPeer({ name: process.argv[2], announce: false });
  let received = 0, missed = 0, wrong = 0, last;
  peer.event('tick').subscribe(({ n }, { gap }) => {
    received += 1;
    missed += gap?.missed ?? 0;
    if (last !== undefined && n !== last + 1 + (gap?.missed ?? 0)) wrong += 1;
    last = n;
    if (gap || n % 1_000 === 0) console.log(JSON.stringify({ n, received, missed, wrong, why: gap?.why }));
  });
  await peer.start();
  console.log('["up"]');
`;

interface Heard {
  n: number;
  received: number;
  missed: number;
  wrong: number;
  why?: string;
}

/** Emits 1 KiB at a time, as fast as its loop turns; one line for each thousand, with what it keeps in memory. */
const flood = (options: string): string => `
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  import { createPeer } from 'app-net';
  setFlagsFromString('--expose_gc');
  const gc = runInNewContext('gc');
  const used = () => {
    gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const peer = await createPeer({ name: 'emitter', limits: { events: 1_048_576 }, ${options} }).start();
  const tick = peer.event('tick');
  await tick.ready({ min: 2 });
  let before;
  for (let n = 1; ; n += 1) {
    tick.emit({ n, payload: 'x'.repeat(1_000) });
    if (n % 10 === 0) await new Promise(setImmediate);
    if (n % 1_000 !== 0) continue;
    before ??= used();
    const { emitted, dropped, queued, disconnected } = peer.actor.system.get('events').getSnapshot().context;
    console.log(JSON.stringify({ emitted, dropped, queued, disconnected, grown: used() - before }));
    // Slower, so that the others keep up on a busy machine.
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
`;

interface Emitted {
  emitted: number;
  dropped: number;
  queued: number;
  disconnected: number;
  grown: number;
}

describe('events between real processes', function () {
  this.timeout(180_000);
  const stage = new Stage();
  const processes = new Processes();
  let folder: string;
  beforeEach(async () => (folder = await stage.folder()));
  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  /** An emitter, and two that listen to it. */
  async function scene(options = ''): Promise<{ emitter: TestProcess; one: TestProcess; two: TestProcess }> {
    const emitter = await processes.start(folder, flood(options));
    const one = await processes.start(folder, LISTENER);
    const two = await processes.start(folder, LISTENER);
    await Promise.all([one, two].map((each) => each.line<Heard>(({ n }) => n >= 1_000, 30_000)));
    return { emitter, one, two };
  }

  const last = (of: TestProcess): unknown => of.lines.at(-1);

  it(`reach each of ${PROCESSES * PEERS} subscribers in ${PROCESSES} processes once and in order, ${EVENTS} of them`, async () => {
    const emitter = await processes.start(folder, EMITTER);
    const subscribers = await Promise.all(
      Array.from({ length: PROCESSES }, () => processes.start(folder, SUBSCRIBER)),
    );
    const done = await emitter.line<Record<string, number>>((line) => 'emitted' in line, 150_000);
    expect(done).to.include({ emitted: EVENTS, sent: EVENTS * PROCESSES * PEERS, dropped: 0, queued: 0 });
    for (const each of subscribers) {
      await eventually(() => each.lines.length === PEERS, 30_000);
      for (const line of each.lines) expect(line).to.deep.equal({ received: EVENTS, wrong: 0, gaps: 0 });
    }
  });

  it('cost the emitter at most its limit when a subscriber is stopped, and cost other subscribers nothing', async () => {
    const { emitter, one, two } = await scene();
    one.child.kill('SIGSTOP');
    const { emitted: stoppedAt } = await emitter.line<Emitted>(({ emitted }) => emitted >= 1_000);
    // 20 MB that it does not take, of which the kernel keeps some and this peer 1 MiB.
    const then = await emitter.line<Emitted>(
      ({ emitted, dropped }) => dropped > 5_000 || emitted > stoppedAt + 40_000,
      60_000,
    );
    expect(then.dropped).to.be.above(5_000);
    expect(then.queued * 1_100).to.be.within(500_000, 1_200_000);
    const grown = Math.max(...(emitter.lines as Emitted[]).map((line) => line.grown));
    // The queue, what is written to the connection, and some of its own.
    expect(grown).to.be.below(1_048_576 + 3_000_000);
    one.child.kill('SIGCONT');
    const back = await one.line<Heard>(({ missed }) => missed > 0, 30_000);
    expect(back).to.include({ wrong: 0 });
    expect(back.n).to.equal(back.received + back.missed);
    // It may have been counted as lost in between, if the machine is slow.
    expect(back.why).to.be.oneOf(['slow', 'disconnected']);
    await two.line<Heard>(({ n }) => n >= then.emitted, 30_000);
    expect(last(two)).to.deep.include({ missed: 0, wrong: 0 });
  });

  it('cost a stopped subscriber its connection if the emitter wants that, and it comes back with a gap', async () => {
    const { emitter, one, two } = await scene("slowSubscribers: 'disconnect'");
    one.child.kill('SIGSTOP');
    await emitter.line<Emitted>(({ disconnected }) => disconnected === 1, 60_000);
    const { emitted } = await emitter.line<Emitted>(({ queued }) => queued === 0);
    one.child.kill('SIGCONT');
    const back = await one.line<Heard>(({ why }) => why === 'disconnected', 30_000);
    expect(back).to.include({ wrong: 0 });
    expect(back.missed).to.be.above(100);
    expect(back.n).to.equal(back.received + back.missed);
    await two.line<Heard>(({ n }) => n >= emitted, 30_000);
    expect(last(two)).to.deep.include({ missed: 0, wrong: 0 });
  });

  it('reach late subscribers of any group that their selector matches, all of them from then on and in order', async () => {
    const emitting = async (name: string, group: string): Promise<unknown> => {
      const emitter = await processes.start(
        folder,
        `
        import { configure, event, serve } from 'app-net';
        configure({ name: '${name}', group: '${group}' });
        const tick = event('tick');
        let n = 0;
        setInterval(() => {
          tick.emit({ n: (n += 1) });
          if (n === 10) console.log('"begun"');
        }, 5);
        await serve();
      `,
      );
      return emitter.line((line) => line === '"begun"', 30_000);
    };
    await Promise.all([emitting('ada', 'gpu'), emitting('grace', 'gpu'), emitting('linus', 'cpu')]);
    const listening = (group: string, from: string, count: number): Promise<TestProcess> =>
      processes.start(
        folder,
        `
        import { configure, event } from 'app-net';
        configure({ group: '${group}', name: 'listener' });
        const last = new Map();
        const signal = AbortSignal.timeout(30_000);
        let received = 0;
        for await (const { payload: { n }, peer, gap } of event('tick').stream({ signal, from: ${from} })) {
          const wrong = gap || (last.has(peer.name) && n !== last.get(peer.name) + 1);
          if (wrong || !last.has(peer.name)) console.log(JSON.stringify({ name: peer.name, n, wrong: Boolean(wrong) }));
          last.set(peer.name, n);
          if ((received += 1) >= 300 && last.size >= ${count}) break;
        }
        console.log(JSON.stringify({ names: [...last.keys()].sort() }));
      `,
      );
    const heard = async (group: string, from: string, count: number): Promise<string[]> => {
      const listener = await listening(group, from, count);
      expect(await listener.exited, listener.errors).to.equal(0);
      const lines = listener.lines as { name?: string; n?: number; wrong?: boolean; names?: string[] }[];
      // Nothing of what was before, and from there on everything, in order.
      for (const { n, wrong } of lines.slice(0, -1)) {
        expect(wrong).to.equal(false);
        expect(n).to.be.greaterThan(10);
      }
      return lines.at(-1)!.names!;
    };
    const [own, another, everybody, filtered] = await Promise.all([
      heard('gpu', 'undefined', 2),
      heard('cpu', "{ group: 'gpu' }", 2),
      heard('none', "{ group: '*' }", 3),
      heard('none', "{ group: ['gpu', 'cpu'], where: ({ name }) => name !== 'grace' }", 2),
    ]);
    expect(own).to.deep.equal(['ada', 'grace']);
    expect(another).to.deep.equal(['ada', 'grace']);
    expect(everybody).to.deep.equal(['ada', 'grace', 'linus']);
    expect(filtered).to.deep.equal(['ada', 'linus']);
  });

  it('start nothing through event(), and configure() may still follow', async () => {
    const process = await processes.start(
      folder,
      `
      import { configure, event } from 'app-net';
      export const done = event('job.done');
      configure({ name: 'late' });
      console.log(done.name);
    `,
    );
    expect(await process.exited, process.errors).to.equal(0);
    expect(process.lines).to.deep.equal(['job.done']);
    expect((await readdir(folder)).filter((name) => name.endsWith('.peer.json'))).to.deep.equal([]);
  });

  it('keep a process alive while a loop waits for them, but not for a listener', async () => {
    const listening = await processes.start(
      folder,
      `
      import { event } from 'app-net';
      event('tick').subscribe(() => {});
      event('tick').emit(1);
    `,
    );
    expect(await listening.exited, listening.errors).to.equal(0);
    const looping = await processes.start(
      folder,
      `
      import { event } from 'app-net';
      for await (const { payload } of event('tick').stream()) {
        console.log(payload);
        break;
      }
    `,
    );
    const emitting = await processes.start(
      folder,
      `
      import { event } from 'app-net';
      const [peer] = await event('tick').ready();
      console.log(peer.pid, event('tick').emit('heard'));
    `,
    );
    expect(await looping.exited, looping.errors).to.equal(0);
    expect(await emitting.exited, emitting.errors).to.equal(0);
    expect(looping.lines).to.deep.equal(['heard']);
    expect(emitting.lines).to.deep.equal([`${looping.pid} 1`]);
  });
});
