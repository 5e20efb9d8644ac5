import { readdir } from 'node:fs/promises';

import { expect } from 'chai';

import { createPeer } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { LIBRARY, Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

/** A peer that tells each join and leave, with the time, and serves. */
const TELLING = `
  import { connect, peers, serve } from 'app-net';
  connect('pid', () => process.pid);
  connect('multiplyValues', (a, b) => a * b);
  const tell = (line) => console.log(JSON.stringify({ ...line, at: Date.now() }));
  peers.on('join', (peer) => tell({ type: 'join', pid: peer.pid }));
  peers.on('leave', (peer, why) => tell({ type: 'leave', pid: peer.pid, why }));
  const serving = serve();
  console.log('["up"]');
  await serving;
`;

interface Told {
  type: 'join' | 'leave';
  pid: number;
  why?: string;
  at: number;
}

describe('real processes', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let folder: string;

  beforeEach(async () => {
    folder = await stage.folder();
  });

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  const told = (of: TestProcess, type: Told['type']): Told[] =>
    (of.lines as Told[]).filter((line) => line.type === type);

  it('all meet when they start at once, each pair once; a SIGKILL is one leave on each of the others', async () => {
    const ten = await Promise.all(Array.from({ length: 10 }, () => processes.start(folder, TELLING)));
    await eventually(() => ten.every((each) => told(each, 'join').length === 9), 30_000);
    for (const each of ten) {
      const others = ten.filter((other) => other !== each).map(({ pid }) => pid);
      expect(told(each, 'join').map(({ pid }) => pid)).to.have.members(others);
    }
    const victim = ten.pop()!;
    const killedAt = Date.now();
    await victim.kill('SIGKILL');
    await eventually(() => ten.every((each) => told(each, 'leave').length > 0));
    // Long enough for a second leave, or for a stale file to bring the dead back.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    for (const each of ten) {
      const leaves = told(each, 'leave');
      expect(leaves.map(({ pid, why }) => [pid, why])).to.deep.equal([[victim.pid, 'lost']]);
      expect(leaves[0]!.at - killedAt).to.be.below(1_000);
      expect(told(each, 'join')).to.have.length(9);
    }
  });

  it('say goodbye even when they end at the moment when others meet them', async () => {
    const witness = await processes.start(folder, TELLING);
    await witness.line((line: unknown) => Array.isArray(line));
    const brief = (time: number): string => `
      import { createPeer } from 'app-net';
      await createPeer().start();
      setTimeout(() => process.exit(), ${time});
    `;
    const times = [0, 2, 4, 6, 8, 10, 14, 20];
    const all = await Promise.all(times.map((time) => processes.start(folder, brief(time))));
    await Promise.all(all.map(({ exited }) => exited));
    // A peer that was not met in time neither joins nor leaves.
    await eventually(() => told(witness, 'leave').length === told(witness, 'join').length);
    expect(new Set(told(witness, 'leave').map(({ why }) => why))).not.to.include('lost');
  });

  it('remove the files of a killed process', async () => {
    const victim = await processes.start(folder, TELLING);
    const witness = stage.make({ runtimeDir: folder });
    await witness.start();
    await eventually(() => witness.peers.size === 1);
    await victim.kill('SIGKILL');
    const files = async (): Promise<string[]> =>
      (await readdir(folder)).filter((name) => name.endsWith('.peer.json'));
    expect(await files()).to.have.length(2);
    await eventually(async () => expect(await files()).to.deep.equal([`${witness.id}.peer.json`]), 15_000);
  });

  const LOOP = `
    import { connect, getPeers } from 'app-net';
    const multiplyValues = connect('multiplyValues', (a, b) => a * b);
    for (const peer of await getPeers()) {
      console.log(JSON.stringify({ pid: peer.pid, product: await multiplyValues.on(peer)(5, 10) }));
    }
  `;

  it('are found by a new script when they already run', async () => {
    const running = await Promise.all([processes.start(folder, TELLING), processes.start(folder, TELLING)]);
    await Promise.all(running.map((each) => each.line((line: unknown) => Array.isArray(line))));
    const script = await processes.start(folder, LOOP);
    expect(await script.exited).to.equal(0);
    expect(script.lines).to.have.deep.members(running.map(({ pid }) => ({ pid, product: 50 })));
  });

  it('are found by a script that starts at the same instant', async () => {
    const [server, script] = await Promise.all([
      processes.start(folder, TELLING),
      processes.start(folder, LOOP),
    ]);
    expect(await script.exited).to.equal(0);
    expect(script.lines).to.deep.equal([{ pid: server.pid, product: 50 }]);
  });

  it('see a process that ends by itself leave as stopped', async () => {
    const witness = await processes.start(folder, TELLING);
    const script = await processes.start(folder, `${LOOP}\nprocess.exit(7);`);
    expect(await script.exited).to.equal(7);
    const left = await witness.line((line: Told) => line.type === 'leave');
    expect(left).to.include({ pid: script.pid, why: 'stopped' });
  });

  it('never meet with the secret of another user, and do not learn of their functions', async () => {
    const stranger = await processes.start(folder, TELLING, {
      env: { APP_NET_SECRET: 'another secret than this' },
    });
    await stranger.line((line: unknown) => Array.isArray(line));
    const peer: Peer = createPeer({ runtimeDir: folder });
    try {
      expect(await peer.getPeers({ group: '*' })).to.deep.equal([]);
      expect(stranger.lines).to.deep.equal([['up']]);
    } finally {
      await peer.stop();
    }
  });

  it('end when their work is done if they only export connected functions', async () => {
    const idle = await processes.start(
      folder,
      `
      import { connect, peers } from 'app-net';
      connect('f', () => 1);
      peers.on('join', () => {});
      setTimeout(() => {}, 100);
    `,
    );
    expect(await idle.exited).to.equal(0);
    expect(idle.errors).to.equal('');
    expect((await readdir(folder)).filter((name) => name.includes('peer'))).to.deep.equal([]);
  });

  it('stay alive only while a call is under way', async () => {
    const server = await processes.start(
      folder,
      `
      import { connect, serve } from 'app-net';
      connect('slow', () => new Promise((resolve) => setTimeout(resolve, 400, 'slow but sure')));
      await serve();
    `,
    );
    const script = await processes.start(
      folder,
      `
      import { peers, remote } from 'app-net';
      const slow = remote('slow');
      const [peer] = await peers.ready(slow);
      slow.on(peer)().then((value) => console.log(value));
    `,
    );
    expect(await script.exited).to.equal(0);
    expect(script.lines).to.deep.equal(['slow but sure']);
    expect(server.errors).to.equal('');
  });

  it('stay alive with their own started peer until it stops', async () => {
    const script = await processes.start(
      folder,
      `
      import { createPeer } from 'app-net';
      const peer = createPeer();
      await peer.start();
      setTimeout(() => peer.stop().then(() => console.log('stopped')), 300).unref();
    `,
    );
    expect(await script.exited).to.equal(0);
    expect(script.lines).to.deep.equal(['stopped']);
  });

  it('have a name of its own for the peer of each thread', async () => {
    const script = `
      import { Worker, isMainThread } from 'node:worker_threads';
      import { connect, peers } from 'app-net';
      connect('thread', () => {});
      if (isMainThread) {
        for (let count = 0; count < 2; count += 1) new Worker(new URL(import.meta.url));
        const others = await peers.ready('thread', { min: 2 });
        console.log(others.map(({ name }) => name).sort().join(' '));
        process.exit();
      }
      await peers.ready('thread', { min: 3 });`;
    const { exited, pid, lines } = await processes.start(folder, script, { name: 'app.mjs' });
    expect(await exited).to.equal(0);
    expect(lines).to.deep.equal([`app.mjs:${pid}/1 app.mjs:${pid}/2`]);
  });

  it('report why the default peer cannot start', async () => {
    const script = await processes.start(
      folder,
      `import { connect, getPeers } from 'app-net';
       connect('f', () => 1);
       await getPeers().catch((error) => console.log(error.code + ': ' + error.message));`,
      { env: { APP_NET_RUNTIME_DIR: '/dev/null/nowhere' } },
    );
    expect(await script.exited).to.equal(0);
    expect(script.lines[0]).to.match(
      /^ENOTDIR: the runtime directory .* cannot be used: .*APP_NET_RUNTIME_DIR/,
    );
    expect(script.errors).to.include('the default peer could not start');
  });

  it('refuse configure() once the default peer is in use', async () => {
    const script = await processes.start(
      folder,
      `
      import { configure, connect, createPeer } from 'app-net';
      configure({ name: 'early' });
      configure({ group: 'both' });
      connect('f', () => 1);
      try { configure({ name: 'late', group: 'both' }); } catch (error) { console.log(error.message); }
    `,
      { name: 'late.mjs' },
    );
    expect(await script.exited).to.equal(0);
    expect(script.lines[0])
      .to.match(
        /^configure\(\) comes too late for name: the default peer is in use since connect\(\) at \S+late\.mjs:5:7\. /,
      )
      .and.to.include('call configure() in a module of its own');
  });

  it('take the same options again, as test files of one process give them', async () => {
    const script = await processes.start(
      folder,
      `
      import { configure, peers, stop } from 'app-net';
      import { MemoryNetwork } from '${LIBRARY.replace('index.js', 'testing.js')}';
      const network = new MemoryNetwork();
      const options = () => ({ name: 'early', seeds: ['127.0.0.1:4000'], limits: { calls: 8 }, network });
      configure(options());
      peers.on('join', () => {});
      configure(options());
      configure({ name: 'early' });
      for (const other of [{ seeds: [] }, { limits: { calls: 9 } }, { network: new MemoryNetwork() }, { group: 'new' }])
        try { configure(other); } catch (error) { console.log(error.message); }
      await stop();
    `,
    );
    expect(await script.exited).to.equal(0);
    expect(script.errors).to.equal('');
    expect(
      script.lines.map((line) => /too late for (\w+): .* since (.*?)\. Imports/.exec(String(line))!.slice(1)),
    ).to.deep.equal(['seeds', 'limits', 'network', 'group'].map((name) => [name, '`peers`']));
  });

  it('report both places when two files connect functions under one name', async () => {
    const script = await processes.start(
      folder,
      `
      import { connect } from 'app-net';
      const make = () => function twice() {};
      connect(make());
      try { connect(make()); } catch (error) { console.log(error.message); }
      connect(make(), { replace: true });
    `,
      { name: 'places.mjs' },
    );
    expect(await script.exited).to.equal(0);
    expect(script.lines[0]).to.match(
      /two functions are connected as .*places\.twice: one at .*places\.mjs:4:7, another at .*places\.mjs:5:13/,
    );
  });
});
