import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { createPeer, NetError } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import { natsNetwork } from '../../src/nats.ts';
import { makeSecret } from '../../src/wire/secret.ts';
import { eventually } from '../support/eventually.ts';
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

describe('deaths over NATS', function () {
  this.timeout(60_000);
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

  function make(url: string | string[], name = 'local'): Peer {
    const peer = createPeer({ name, secret, network: natsNetwork({ servers: url }) });
    peers.push(peer);
    return peer;
  }

  async function ports(count: number): Promise<number[]> {
    const listeners = await Promise.all(
      Array.from({ length: count }, async () => {
        const listener = createServer();
        await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
        return listener;
      }),
    );
    const found = listeners.map((each) => (each.address() as AddressInfo).port);
    await Promise.all(listeners.map((each) => new Promise((resolve) => each.close(resolve))));
    return found;
  }

  async function cluster(): Promise<NatsServer[]> {
    const all = await ports(3);
    const started = await Promise.all(all.map((own) => serve({ cluster: { own, all } })));
    return started;
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
      const pending = Promise.resolve(peer.remote<() => void>('never').on(there!)()).catch(
        (error: unknown) => error,
      );
      await peer.remote<(n: number) => number>('twice').on(there!)(1);
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
    const three = await cluster();
    const urls = three.map(({ url }) => url);
    // Two at each server.
    const made = Array.from({ length: 6 }, (_, index) => make(urls[index % 3]!, `peer-${index}`));
    const told: string[] = [];
    for (const peer of made) {
      peer.connect('twice', (n: number) => 2 * n);
      peer.peers.on('leave', (each, why, evidence) =>
        told.push(`${peer.name}: ${each.name} ${why}: ${String(evidence)}`),
      );
    }
    await Promise.all(made.map((peer) => peer.start()));
    await Promise.all(made.map((peer) => peer.peers.ready('twice', { min: 5 })));
    let running = true;
    let answered = 0;
    const wrong: unknown[] = [];
    const calling = made.map(async (peer, index) => {
      for (let n = 0; running; n += 1) {
        const other = made[(index + 1 + (n % 5)) % 6]!;
        try {
          if (
            (await peer.remote<(n: number) => number>('twice').on(other.id, { deadline: 5_000 })(n)) !==
            2 * n
          )
            wrong.push(n);
          else answered += 1;
        } catch (error) {
          // Nobody knows whether it ran, so the caller is told so.
          const { code, ran } = error as NetError;
          if (!(error instanceof NetError) || code !== 'CONNECTION_LOST' || ran !== 'unknown')
            wrong.push(error);
        }
      }
    });
    for (let round = 0; round < 3; round += 1) {
      const victim = three.shift()!;
      const { port } = victim;
      await victim.stop();
      const before = answered;
      await eventually(() => answered > before + 600);
      const others = await ports(1);
      const all = three.map(({ clusterPort }) => clusterPort!).concat(others);
      three.push(await serve({ port, cluster: { own: others[0]!, all } }));
      // Long enough for a wrong leave: nothing is concluded in the first 1.5 s.
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    }
    running = false;
    await Promise.all(calling);
    expect(wrong).to.deep.equal([]);
    expect(told).to.deep.equal([]);
  });

  it('of the only server are leaves of all, who are back with it', async () => {
    const server = await serve();
    const made = [make(server.url, 'a'), make(server.url, 'b')];
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
    const twice = peer.remote<(text: unknown) => unknown>('twice').on(there!);
    // More than the window of a link: the rest waits here, and not at the server.
    const calls = Array.from({ length: 40 }, () => twice(Buffer.alloc(100_000)));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    other.child.kill('SIGCONT');
    await Promise.all(calls);
    expect(await twice(4)).to.equal(8);
    expect(leaves).to.deep.equal([]);
  });
});
