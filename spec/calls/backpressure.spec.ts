import { expect } from 'chai';

import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

describe('a peer that stops reading', () => {
  const stage = new Stage();
  const processes = new Processes();

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  it('makes calls wait at the caller instead of filling memory, and gets them when it reads again', async () => {
    const runtimeDir = await stage.folder();
    const server = await processes.start(
      runtimeDir,
      `import { connect, serve } from 'app-net';
       connect('length', (text) => text.length);
       connect('sleep', (ms) => { const end = Date.now() + ms; while (Date.now() < end); });
       await serve();`,
    );
    const limits = { buffered: 1024 * 1024 };
    const caller = await stage.make({ runtimeDir, limits }).start();
    const [toServer] = await caller.peers.ready('length');
    const sleeping = toServer.call('sleep', [1_000]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const text = 'x'.repeat(1024 * 1024);
    const calls = Array.from({ length: 40 }, () => toServer.call('length', [text]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    // The kernel takes an unknown amount. Beyond it, one message more than the limit may be written.
    const { waiting } = caller.actor.system.get('caller').getSnapshot().context;
    expect(waiting).to.be.greaterThan(20);
    await sleeping;
    expect(new Set(await Promise.all(calls))).to.deep.equal(new Set([text.length]));
    expect(server.errors).to.equal('');
  });

  it('holds back functions whose answers it does not read, and runs them when it reads again', async () => {
    const runtimeDir = await stage.folder();
    const server = await stage.make({ runtimeDir, limits: { buffered: 1024 * 1024 } }).start();
    let begun = 0;
    server.connect('big', () => {
      begun += 1;
      return 'x'.repeat(256 * 1024);
    });
    const client = await processes.start(
      runtimeDir,
      `import { peers } from 'app-net';
       const [server] = await peers.ready('big');
       const calls = Array.from({ length: 400 }, () => server.call('big'));
       setImmediate(() => process.kill(process.pid, 'SIGSTOP'));
       const texts = await Promise.all(calls);
       console.log('lengths', ...new Set(texts.map((text) => text.length)));`,
    );
    await eventually(() => expect(begun).to.be.above(0));
    // Kernel buffers take some megabytes, the limit is one, and a hundred would be asked for.
    let before = -1;
    while (before !== begun) {
      before = begun;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(begun).to.be.below(200);
    client.child.kill('SIGCONT');
    await client.line((line) => line === 'lengths 262144');
    expect(begun).to.equal(400);
  });

  it('loses no accepted call when the other side stops meanwhile', async () => {
    const runtimeDir = await stage.folder();
    const server = await stage
      .make({ runtimeDir, limits: { buffered: 1024 * 1024 }, drainTime: 60_000 })
      .start();
    let begun = 0;
    server.connect('big', () => {
      begun += 1;
      return 'x'.repeat(256 * 1024);
    });
    const client = await processes.start(
      runtimeDir,
      `import { peers } from 'app-net';
       const [server] = await peers.ready('big');
       const calls = Array.from({ length: 150 }, () => server.call('big'));
       setImmediate(() => process.kill(process.pid, 'SIGSTOP'));
       const codes = (await Promise.allSettled(calls)).map(({ reason }) => reason?.code ?? 'answered');
       console.log(JSON.stringify({ codes: [...new Set(codes)].sort() }));`,
    );
    const { context } = server.actor.system.get('dispatcher').getSnapshot();
    await eventually(() => expect(context.held).to.be.above(0));
    const held = context.held as number;
    const stopped = server.stop();
    client.child.kill('SIGCONT');
    const { codes } = await client.line<{ codes?: string[] }>((line) => line.codes !== undefined);
    expect(['answered', 'REFUSED']).to.include.members(codes!);
    await stopped;
    expect(begun).to.be.at.least(held);
  });

  it('gets the answers that were written before the other side stopped, however late it reads them', async () => {
    const runtimeDir = await stage.folder();
    const server = await stage.make({ runtimeDir, drainTime: 60_000 }).start();
    let begun = 0;
    server.connect('big', () => {
      begun += 1;
      return 'x'.repeat(1024 * 1024);
    });
    const client = await processes.start(
      runtimeDir,
      `import { peers } from 'app-net';
       const [server] = await peers.ready('big');
       const calls = Array.from({ length: 12 }, () => server.call('big'));
       setImmediate(() => process.kill(process.pid, 'SIGSTOP'));
       const codes = (await Promise.allSettled(calls)).map(({ reason }) => reason?.code ?? 'answered');
       console.log(JSON.stringify({ codes: [...new Set(codes)] }));`,
    );
    await eventually(() => expect(begun).to.equal(12));
    const stopped = server.stop();
    // Later than an orderly close ends by itself.
    setTimeout(() => client.child.kill('SIGCONT'), 1_500);
    const { codes } = await client.line<{ codes?: string[] }>((line) => line.codes !== undefined);
    expect(codes).to.deep.equal(['answered']);
    await stopped;
  });
});
