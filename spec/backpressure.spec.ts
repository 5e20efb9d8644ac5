import { expect } from 'chai';

import { Stage } from './support/peers.ts';
import { Processes } from './support/processes.ts';

describe('a peer that stops reading', () => {
  const stage = new Stage();
  const processes = new Processes();

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  it('makes calls wait here instead of filling the memory, and gets them when it reads again', async () => {
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
    const sleeping = toServer!.call('sleep', [1_000]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const text = 'x'.repeat(1024 * 1024);
    const calls = Array.from({ length: 40 }, () => toServer!.call('length', [text]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    // What the kernel takes is its own affair; beyond it one message more than the limit may be written.
    const { waiting } = caller.actor.system.get('caller').getSnapshot().context;
    expect(waiting).to.be.greaterThan(20);
    await sleeping;
    expect(new Set(await Promise.all(calls))).to.deep.equal(new Set([text.length]));
    expect(server.errors).to.equal('');
  });
});
