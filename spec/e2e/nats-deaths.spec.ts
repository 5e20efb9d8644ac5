import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { createPeer } from '../../src/index.ts';
import type { NetError, Peer, PeerOptions } from '../../src/index.ts';
import { natsNetwork } from '../../src/nats.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { natsCluster } from '../soak/nats-cluster.ts';
import { NatsServer, needNats } from '../support/nats-server.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

const SERVING = `
  import { connect, serve } from 'app-net';
  connect('twice', (n) => 2 * n);
  connect('never', () => new Promise(() => {}));
  await serve();
`;

/** The five lines with which the server tells an account of its connections. */
const TELLING = `
  accounts {
    SYS { users: [{ user: sys, password: sys }]
      exports: [{ stream: "$SYS.ACCOUNT.*.>", account_token_position: 3, accounts: [APP] }] }
    APP { users: [{ user: app, password: app }]
      imports: [{ stream: { account: SYS, subject: "$SYS.ACCOUNT.APP.>" } }] }
  }
  system_account: SYS
`;

/** Memory of a process, in KiB; 0 where the system does not tell it in this way. */
async function memoryOf(pid: number): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]);
}

describe('deaths over NATS', function () {
  this.timeout(120_000);
  const secret = makeSecret();
  const processes = new Processes();
  const servers: NatsServer[] = [];
  const peers: Peer[] = [];
  let folder: string;

  before(function () {
    needNats(this);
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
  });

  afterEach(async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.stop({ drainTime: 0 })));
    await processes.clear();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  async function serve(...options: Parameters<typeof NatsServer.start>): Promise<NatsServer> {
    const server = await NatsServer.start(...options);
    servers.push(server);
    return server;
  }

  function start(url: string): Promise<TestProcess> {
    return processes.start(folder, SERVING, { env: { APP_NET_NATS: url, APP_NET_SECRET: secret } });
  }

  function make(url: string | string[], name = 'local', options: PeerOptions = {}): Peer {
    const peer = createPeer({ name, secret, network: natsNetwork({ servers: url }), ...options });
    peers.push(peer);
    return peer;
  }

  it('are told by the server at once where the account imports what it tells', async () => {
    const server = await serve({ configuration: TELLING });
    const url = server.url.replace('//', '//app:app@');
    const peer = make(url);
    await peer.start();
    const took: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const other = await start(url);
      const [there] = await peer.peers.ready({ where: ({ pid }) => pid === other.pid });
      const pending = Promise.resolve(peer.remote<() => void>('never').on(there)()).catch(
        (error: unknown) => error,
      );
      await peer.remote<(n: number) => number>('twice').on(there)(1);
      const left = new Promise<void>((resolve) => {
        peer.peers.on('leave', (each) => each.pid === other.pid && resolve());
      });
      const killed = performance.now();
      other.child.kill('SIGKILL');
      await left;
      took.push(performance.now() - killed);
      expect(await pending).to.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
    }
    const median = took.toSorted((a, b) => a - b)[2]!;
    console.log(`      leaves after ${took.map((each) => each.toFixed(0)).join(', ')} ms`);
    // On a machine with nothing else to do each takes a few ms. Without the import none is below 150.
    expect(median).to.be.below(100);
  });

  it('of one server of a cluster are no leave, and calls go on', async () => {
    const { answered, wrong, told, pauses } = await natsCluster({ count: 6, processes: 3, rounds: 2 });
    console.log(`      longest pauses ${pauses.map((each) => each.toFixed(0)).join(', ')} ms`);
    expect(wrong).to.deep.equal([]);
    expect(told).to.deep.equal([]);
    expect(answered).to.be.above(500);
  });

  it('of the only server are leaves of all, who are back with it', async () => {
    const server = await serve();
    const made = ['a', 'b'].map((name) => make(server.url, name, { ping: 200 }));
    await Promise.all(made.map((peer) => peer.start()));
    await made[0]!.peers.ready({ name: 'b' });
    const left = new Promise<string>((resolve) => {
      made[0]!.peers.on('leave', (_, why) => resolve(why));
    });
    const pending = made[0]!.remote<() => void>('never').on(made[1]!.id)();
    expect(await Promise.resolve(pending).catch((error: NetError) => error.code)).to.equal('NO_SUCH_TAG');
    await server.stop();
    expect(await left).to.equal('lost');
    await serve({ port: server.port });
    await made[0]!.peers.ready({ name: 'b' });
  });

  it('are not seen in a process that was only stopped for a while, or is busy', async () => {
    const server = await serve();
    const other = await start(server.url);
    const peer = make(server.url);
    const leaves: unknown[] = [];
    peer.peers.on('leave', (...args) => leaves.push(args));
    await peer.start();
    const [there] = await peer.peers.ready({ where: ({ pid }) => pid === other.pid });
    other.child.kill('SIGSTOP');
    const twice = peer.remote<(text: unknown) => unknown>('twice').on(there);
    const before = await memoryOf(server.pid);
    // Forty times the window of a link: the rest waits here, and not at the server.
    const calls = Array.from({ length: 200 }, () => twice(Buffer.alloc(200_000)));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await memoryOf(server.pid)) - before).to.be.below(12 * 1024);
    other.child.kill('SIGCONT');
    await Promise.all(calls);
    expect(await twice(4)).to.equal(8);
    expect(leaves).to.deep.equal([]);
  });
});
