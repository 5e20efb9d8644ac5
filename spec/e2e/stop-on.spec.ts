import { expect } from 'chai';

import { createPeer } from '../../src/index.ts';
import type { Peer, ServeOptions } from '../../src/index.ts';
import { failure, Stage } from '../support/peers.ts';
import { AS_PID_1, childOf, needPidNamespace } from '../support/pid-namespace.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

/** Serves a function that answers in its own time, and one that never answers. */
const SERVED = (options: string): string => `
import { connect, serve } from 'app-net';
const listeners = () => ['SIGTERM', 'SIGINT'].map((name) => process.listenerCount(name)).join();
const before = listeners();
connect('slow', () => new Promise((resolve) => {
  console.log('slow begun');
  setTimeout(resolve, 300, 'done');
}));
connect('never', () => new Promise(() => console.log('never begun')));
await serve(${options});
console.log(JSON.stringify({ served: true, same: before === listeners() }));
`;

describe('the end of the default peer', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  const containers = new Processes(AS_PID_1);
  let folder: string;
  let caller: Peer;

  beforeEach(async () => {
    folder = await stage.folder();
    caller = await stage.make({ name: 'caller', runtimeDir: folder }).start();
  });

  afterEach(async () => {
    await processes.clear();
    await containers.clear();
    await stage.clear();
  });

  /** A call that runs there, in an object: a promise would be awaited. */
  const running = async (served: TestProcess, name: string): Promise<{ call: Promise<unknown> }> => {
    const [peer] = await caller.peers.ready(name);
    const call = peer.call(name);
    call.catch(() => {});
    await served.line((line) => line === `${name} begun`);
    return { call };
  };

  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    it(`answers what runs at a ${name}, and then serve() resolves and nothing listens any more`, async () => {
      const served = await processes.start(folder, SERVED(`{ stopOn: ['SIGTERM', 'SIGINT'] }`));
      const { call } = await running(served, 'slow');
      served.child.kill(name);
      expect(await call).to.equal('done');
      expect(await served.exited).to.equal(0);
      expect(served.lines).to.deep.include({ served: true, same: true });
      expect(served.errors).to.equal('');
    });
  }

  it('takes a signal that follows within 100 ms for the same one', async () => {
    const served = await processes.start(folder, SERVED(`{ stopOn: ['SIGTERM', 'SIGINT'] }`));
    const { call } = await running(served, 'slow');
    for (let press = 0; press < 3; press += 1) served.child.kill('SIGINT');
    expect(await call).to.equal('done');
    expect(await served.exited).to.equal(0);
  });

  it('ends the process at a second signal', async () => {
    const served = await processes.start(folder, SERVED(`{ stopOn: ['SIGTERM', 'SIGINT'] }`));
    const { call } = await running(served, 'never');
    served.child.kill('SIGTERM');
    const again = setInterval(() => served.child.kill('SIGTERM'), 150);
    expect(await served.exited).to.equal('SIGTERM');
    clearInterval(again);
    expect(await failure(call)).to.include({ code: 'CONNECTION_LOST' });
  });

  it('ends process 1 of a container at a second signal, too', async function () {
    await needPidNamespace(this);
    const script = SERVED(`{ stopOn: ['SIGTERM'] }`);
    const served = await containers.start(folder, script);
    const { call } = await running(served, 'never');
    const pid = await childOf(served.pid);
    process.kill(pid, 'SIGTERM');
    const again = setInterval(() => process.kill(pid, 'SIGTERM'), 150);
    expect(await served.exited).to.equal(128 + 15);
    clearInterval(again);
    await failure(call);
  });

  it('loses what still runs after the drainTime of serve()', async () => {
    const served = await processes.start(folder, SERVED(`{ stopOn: ['SIGTERM'], drainTime: 50 }`));
    const { call } = await running(served, 'never');
    served.child.kill('SIGTERM');
    expect(await failure(call)).to.include({ code: 'CONNECTION_LOST' });
    expect(await served.exited).to.equal(0);
  });

  it('comes in order when the signal comes while the peer starts', async () => {
    const script = `
      import { serve } from 'app-net';
      const served = serve({ stopOn: ['SIGTERM'] });
      process.kill(process.pid, 'SIGTERM');
      await served;
      console.log('served');`;
    const served = await processes.start(folder, script);
    expect(await served.exited).to.equal(0);
    expect(served.lines).to.deep.equal(['served']);
    expect(served.errors).to.equal('');
  });

  it('is nothing when the peer was never used, and one for all who ask for it', async () => {
    const script = `
      import { connect, getPeers, peers, remote, serve, stop } from 'app-net';
      await stop();
      const f = connect('f', () => 'here');
      await getPeers();
      await Promise.all([stop(), stop({ drainTime: 5 }), stop()]);
      await stop();
      const g = connect('g', () => 'still here');
      const codes = [];
      for (const late of [() => getPeers(), () => peers.ready(f), () => remote('f').any()(), () => serve()])
        codes.push(await late().then(() => 'done', ({ code }) => code));
      console.log(JSON.stringify({ codes, plain: [f(), g()] }));`;
    const process = await processes.start(folder, script);
    expect(await process.exited, process.errors).to.equal(0);
    expect(process.lines).to.deep.equal([
      { codes: Array.from({ length: 4 }, () => 'STOPPED'), plain: ['here', 'still here'] },
    ]);
    expect(process.errors).to.equal('');
  });

  it('warns of nothing when it comes while the peer starts', async () => {
    const script = `
      import { connect, stop } from 'app-net';
      connect('f', () => 'here');
      await stop();`;
    const process = await processes.start(folder, script);
    expect(await process.exited).to.equal(0);
    expect(process.errors).to.equal('');
  });

  const REFUSED: [options: unknown, message: RegExp][] = [
    [{ stopOn: ['SIGTREM'] }, /^stopOn: "SIGTREM" is not the name of a signal; did you mean .*SIGTERM/],
    [{ stopOn: ['SIGKILL'] }, /^stopOn: no process can listen for SIGKILL/],
    [{ stopOn: [15] }, /^stopOn: 15 is not the name of a signal$/],
    [{ stopOn: ['toString'] }, /^stopOn: "toString" is not the name/],
    [{ stopOn: 'SIGTERM' }, /^stopOn: give a list/],
    [{ stopOn: ['SIGTERM'], drainTime: -1 }, /^drainTime: give a number/],
    [{ drainTime: 100 }, /^drainTime: give it together with stopOn/],
    [{ signals: [] }, /^there is no option signals/],
  ];
  for (const [options, message] of REFUSED) {
    it(`is not asked for by ${JSON.stringify(options)}`, async () => {
      const peer = createPeer();
      const error = await failure(peer.serve(options as ServeOptions));
      expect(error).to.be.instanceOf(TypeError);
      expect((error as Error).message).to.match(message);
      expect(process.listenerCount('SIGTERM')).to.equal(0);
    });
  }

  it('takes no option that does not exist', async () => {
    expect(await failure(createPeer().stop({ time: 5 } as object))).to.be.instanceOf(TypeError);
  });
});
