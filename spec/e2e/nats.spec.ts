import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { createPeer, NetError } from '../../src/index.ts';
import type { Peer, PeerOptions } from '../../src/index.ts';
import { natsNetwork } from '../../src/nats.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { NatsServer, needNats } from '../support/nats-server.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

/** A peer that serves, and says who comes and goes, and when, in ms of the clock that all processes share. */
const SERVING = `
  import { connect, current, event, peers, serve } from 'app-net';
  const now = () => performance.timeOrigin + performance.now();
  const say = (line) => console.log(JSON.stringify({ ...line, at: now() }));
  peers.on('join', ({ pid, scope }) => say({ join: pid, scope }));
  peers.on('leave', ({ pid }, why) => say({ leave: pid, why }));
  connect('multiply', (a, b) => a * b);
  connect('pid', () => process.pid);
  connect('echo', (value) => value);
  connect('fail', () => { throw Object.assign(new RangeError('too far'), { limit: 3 }); });
  connect('never', () => new Promise((resolve, reject) => {
    current().signal.addEventListener('abort', () => (say({ cancelled: true }), reject(current().signal.reason)));
  }));
  connect('count', async function* (to) { for (let n = 1; n <= to; n += 1) yield n; });
  connect('sum', async (numbers) => { let sum = 0; for await (const n of numbers) sum += n; return sum; });
  const done = event('job.done');
  connect('emit', async (id) => { await done.ready(); done.emit({ id }); });
  say({ began: process.pid });
  const serving = serve({ stopOn: ['SIGTERM'] });
  await serving;
`;

interface Line {
  began?: number;
  join?: number;
  leave?: number;
  why?: string;
  scope?: string;
  cancelled?: boolean;
  at: number;
}

const now = (): number => performance.timeOrigin + performance.now();

describe('processes that share a NATS server and a secret, and nothing else', function () {
  this.timeout(120_000);
  const secret = makeSecret();
  const processes = new Processes();
  const folders: string[] = [];
  const local: Peer[] = [];
  let server: NatsServer;

  before(async function () {
    needNats(this);
    server = await NatsServer.start();
  });

  after(() => server?.stop());

  afterEach(async () => {
    await Promise.all(local.splice(0).map((peer) => peer.stop({ drainTime: 0 })));
    await processes.clear();
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });

  /** Each process has a folder of its own, so that it finds nobody on its host. */
  async function start(script = SERVING, env: NodeJS.ProcessEnv = {}): Promise<TestProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
    folders.push(folder);
    return processes.start(folder, script, {
      env: { APP_NET_NATS: server.url, APP_NET_SECRET: secret, ...env },
    });
  }

  async function make(options: PeerOptions = {}): Promise<Peer> {
    const peer = createPeer({ secret, network: natsNetwork({ servers: server.url }), ...options });
    local.push(peer);
    return peer.start();
  }

  const joined = (peer: TestProcess, pid: number): Promise<Line> =>
    peer.line<Line>((line) => line.join === pid);
  const left = (peer: TestProcess, pid: number): Promise<Line> =>
    peer.line<Line>((line) => line.leave === pid);
  const began = (peer: TestProcess): Promise<Line> => peer.line<Line>((line) => line.began !== undefined);

  it('join at once', async () => {
    const first = await start();
    await began(first);
    const second = await start();
    const { at } = await began(second);
    for (const line of [await joined(first, second.pid), await joined(second, first.pid)]) {
      // On a machine with nothing else to do it takes 100 ms at most.
      expect(line.at - at).to.be.below(1_000);
      expect(line.scope).to.equal('wan');
    }
  });

  it('call, stream, fail, cancel and hear each other as on one host', async () => {
    const other = await start();
    const peer = await make();
    const [there] = await peer.peers.ready({ where: ({ pid }) => pid === other.pid });
    const call = (tag: string) => peer.remote<(...args: unknown[]) => unknown>(tag);
    expect(await call('multiply').on(there)(6, 7)).to.equal(42);
    expect(await call('pid').any()()).to.equal(other.pid);
    const value = {
      map: new Map([[1, new Set(['a'])]]),
      when: new Date(0),
      bytes: Buffer.from([0, 255]),
      big: 10n,
    };
    expect(await call('echo').on(there)(value)).to.deep.equal(value);
    const thrown = await Promise.resolve(call('fail').on(there)()).catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(RangeError).and.to.include({ limit: 3, message: 'too far' });
    const missing = await Promise.resolve(call('missing').on(there)()).catch((error: unknown) => error);
    expect(missing).to.be.instanceOf(NetError).and.to.include({ code: 'NO_SUCH_TAG', ran: 'no' });
    const got: number[] = [];
    const count = peer.remote<(to: number) => AsyncGenerator<number>>('count');
    for await (const n of count.on(there)(1_000)) got.push(n);
    expect(got).to.have.length(1_000);
    for await (const n of count.on(there)(1e9)) if (n === 10) break;
    async function* numbers() {
      for (let n = 1; n <= 100; n += 1) yield n;
    }
    expect(await call('sum').on(there)(numbers())).to.equal(5_050);
    const all: unknown[] = [];
    for await (const result of call('pid').all()()) all.push(result.status);
    expect(all).to.deep.equal(['fulfilled']);
    const mapped: unknown[] = [];
    for await (const result of call('multiply').map([1, 2, 3], { args: (n) => [n, 2] }))
      if (result.status === 'fulfilled') mapped.push(result.value);
    expect(mapped).to.have.members([2, 4, 6]);
    const controller = new AbortController();
    const pending = call('never').on(there, { signal: controller.signal })();
    await call('multiply').on(there)(1, 1);
    controller.abort();
    expect(await Promise.resolve(pending).catch((error: Error) => error.name)).to.equal('AbortError');
    await other.line<Line>((line) => line.cancelled === true);
    const done = peer.event<{ id: number }>('job.done');
    const heard: number[] = [];
    done.subscribe(({ id }) => void heard.push(id));
    await call('emit').on(there)(7);
    await eventually(() => heard.length === 1);
    expect(heard).to.deep.equal([7]);
  });

  it('see a SIGKILL soon, and settle the calls to the killed process then', async () => {
    const other = await start();
    const third = await start();
    const peer = await make();
    await peer.peers.ready({ where: ({ pid }) => pid === other.pid });
    await joined(third, other.pid);
    const [there] = peer.peers.of({ where: ({ pid }) => pid === other.pid }).list();
    const pending = Promise.resolve(peer.remote<() => unknown>('never').on(there!)()).catch(
      (error: NetError) => error,
    );
    const gone = new Promise<string>((resolve) => {
      peer.peers.on('leave', (each, why) => each.pid === other.pid && resolve(why));
    });
    const killed = now();
    other.child.kill('SIGKILL');
    const failed = (await pending) as NetError;
    // On a machine with nothing else to do it takes 160 to 370 ms; silence would take 9 s.
    expect(now() - killed).to.be.below(4_000);
    expect(failed).to.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
    expect(await gone).to.equal('lost');
    const line = await left(third, other.pid);
    expect(line.why).to.equal('lost');
    expect(line.at - killed).to.be.below(4_000);
    expect(String(peer.evidence(there!.id))).to.include('NATS says that nobody is there');
  });

  it('see a SIGTERM as a goodbye', async () => {
    const [one, two] = [await start(), await start()];
    await joined(one, two.pid);
    await joined(two, one.pid);
    two.child.kill('SIGTERM');
    expect((await left(one, two.pid)).why).to.equal('stopped');
    expect(await two.exited).to.equal(0);
  });

  it('end by themselves when their script is done', async () => {
    const other = await start();
    await began(other);
    const brief = await start(`
      import { peers, remote } from 'app-net';
      const multiply = remote('multiply');
      await peers.ready(multiply);
      console.log(JSON.stringify({ product: await multiply.any()(6, 7) }));
    `);
    await brief.line<{ product: number }>(({ product }) => product === 42);
    expect(await brief.exited).to.equal(0);
    expect((await left(other, brief.pid)).why).to.equal('stopped');
  });

  it('do not see processes with another secret', async () => {
    const stranger = await start(SERVING, { APP_NET_SECRET: makeSecret() });
    await began(stranger);
    const peer = await make();
    const friend = await start();
    await joined(friend, process.pid);
    await peer.peers.ready({ where: ({ pid }) => pid === friend.pid });
    expect(peer.peers.of({ group: '*' }).size).to.equal(1);
    expect(stranger.lines).to.have.length(1);
  });

  it('of one id are one: the second is refused', async () => {
    await make({ id: 'the-only-one' });
    const second = await make({ id: 'the-only-one' }).catch((error: unknown) => error);
    expect(second).to.be.instanceOf(NetError).and.to.include({ code: 'ID_TAKEN' });
  });

  it('carry a call of 16 MiB, and 10,000 calls at once', async () => {
    const other = await start(`
      import { configure } from 'app-net';
      configure({ limits: { message: 32 * 1024 * 1024 } });
      ${SERVING}
    `);
    const peer = await make({ limits: { message: 32 * 1024 * 1024 } });
    const [there] = await peer.peers.ready({ where: ({ pid }) => pid === other.pid });
    const bytes = Buffer.alloc(16 * 1024 * 1024, 'abc');
    const back = await peer.remote<(bytes: Buffer) => Buffer>('echo').on(there)(bytes);
    expect(bytes.equals(back)).to.equal(true);
    const multiply = peer.remote<(a: number, b: number) => number>('multiply').on(there);
    const all = await Promise.all(Array.from({ length: 10_000 }, (_, index) => multiply(index, 2)));
    expect(all.every((value, index) => value === 2 * index)).to.equal(true);
  });

  it('say what is wrong where they cannot start', async () => {
    const begin = async (options: PeerOptions): Promise<string> => {
      const peer = createPeer(options);
      local.push(peer);
      return peer.start().then(
        () => 'it started',
        (error: Error) => error.message,
      );
    };
    const network = natsNetwork({ servers: 'nats://user:hidden@127.0.0.1:1' });
    const unreachable = await begin({ secret, network });
    expect(unreachable).to.include('cannot connect to NATS at 127.0.0.1:1').and.not.include('hidden');
    expect(await begin({ network: natsNetwork({ servers: server.url }) })).to.include('made secret');
    const passphrase = {
      secret: 'correct horse battery staple',
      network: natsNetwork({ servers: server.url }),
    };
    expect(await begin(passphrase)).to.include('npx app-net secret');
    const host = createPeer({ secret });
    local.push(host);
    const pass = await host.pass({ name: 'guest' });
    const asGuest = { pass, network: natsNetwork({ servers: server.url }) };
    expect(await begin(asGuest)).to.include('a guest cannot be at NATS');
  });
});
