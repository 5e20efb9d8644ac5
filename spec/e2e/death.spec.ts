import { expect } from 'chai';

import { Stage, meet } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

/** Makes the root of the actors throw: what nobody foresaw, in a place where nothing could be contained. */
const KILL = `
  const poisoned = { type: 'peer.dial', get id() { throw new Error('unforeseen'); } };
  peer.actor.send(poisoned);`;

describe('a peer that dies of an unexpected error', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  it('ends its process with an error and exit code 1, logs it, and leaves as lost', async () => {
    const folder = await stage.folder();
    const observer = await stage.make({ runtimeDir: folder }).start();
    const left: string[] = [];
    observer.peers.on('leave', (_, why) => left.push(why));
    const script = await processes.start(
      folder,
      `import { createPeer } from 'app-net';
       const peer = await createPeer({ id: 'dying', logLevel: 'error' }).start();
       console.log('["up"]');
       setTimeout(() => { ${KILL} }, 300);
       await peer.serve().catch(() => {});`,
    );
    await meet(observer, 'dying');
    expect(await script.exited).to.equal(1);
    expect(script.errors).to.match(
      /error app-net .*died of an unexpected error\. This is a bug of app-net; please report it: Error: unforeseen\n\s+at /,
    );
    expect(script.errors).to.include('this peer died of a bug of app-net');
    expect(left).to.deep.equal(['lost']);
  });

  it('rejects serve(), settles calls and ends iterators when the process outlives it, and leaves nothing behind', async () => {
    const folder = await stage.folder();
    const callee = stage.make({ runtimeDir: folder, id: 'callee' });
    callee.connect('never', () => new Promise(() => {}));
    await callee.start();
    const script = await processes.start(
      folder,
      `import { createPeer } from 'app-net';
       const told = [];
       process.on('uncaughtException', (error) => told.push(['uncaught', error.cause.message]));
       const peer = await createPeer({ id: 'dying' }).start();
       await peer.peers.ready('never');
       const tell = (what) => (error) => told.push([what, error?.code, (error?.cause?.cause ?? error?.cause)?.message]);
       const serving = peer.serve().then(tell('served'), tell('serve'));
       const sent = peer.remote('never').on('callee')().catch(tell('sent'));
       const watching = (async () => { for await (const _ of peer.peers.watch()); })().then(tell('watched'), tell('watch'));
       await new Promise((resolve) => setTimeout(resolve, 200));
       ${KILL}
       await Promise.all([serving, sent, watching]);
       await peer.remote('never').on('callee')().catch(tell('later'));
       await peer.stop();
       await new Promise((resolve) => setTimeout(resolve, 100));
       console.log(JSON.stringify({ told, left: process.getActiveResourcesInfo() }));`,
    );
    const { told, left } = await script.line<{ told: unknown[][]; left: string[] }>((line) => 'told' in line);
    expect(told.map(([what]) => what)).to.have.members(['uncaught', 'serve', 'sent', 'watched', 'later']);
    expect(told).to.deep.include(['uncaught', 'unforeseen']);
    expect(told.find(([what]) => what === 'later')).to.deep.equal(['later', 'STOPPED', 'unforeseen']);
    expect(left.filter((each) => each !== 'PipeWrap')).to.deep.equal([]);
    expect(await script.exited).to.equal(0);
  });
});
