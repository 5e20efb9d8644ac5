import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import type { AnyActorRef } from 'xstate';

import { systemClock } from '../../src/base/time/clock.ts';
import { LOOK } from '../../src/presence/idle-links.ts';
import { createPeer } from '../../src/index.ts';
import type { Peer, PeerOptions } from '../../src/index.ts';
import { natsNetwork } from '../../src/nats.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { NatsServer, needNats } from '../support/nats-server.ts';
import { Processes } from '../support/processes.ts';
import type { Network } from '../../src/testing.ts';

/** How a peer is connected to another one at present; undefined if it is not. */
function bindingOf(peer: Peer, other: { id: string }): string | undefined {
  const connection = peer.actor.system.get(`connection:${other.id}`) as AnyActorRef | undefined;
  const { context } = (connection?.getSnapshot() ?? {}) as {
    context?: { record?: { link?: { socket: { binding: { kind: string } } } } };
  };
  return context?.record?.link?.socket.binding.kind;
}

describe('peers on a direct network and at NATS', function () {
  this.timeout(120_000);
  const secret = makeSecret();
  const processes = new Processes();
  const peers: Peer[] = [];
  let told: string[] = [];
  let server: NatsServer;

  before(async function () {
    needNats(this);
    server = await NatsServer.start();
  });

  after(() => server?.stop());

  beforeEach(() => {
    told = [];
  });

  afterEach(async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.stop({ drainTime: 0 })));
    await processes.clear();
  });

  const nats = (): Network => natsNetwork({ servers: server.url });

  async function make(name: string, options: PeerOptions): Promise<Peer> {
    const peer = createPeer({ name, secret, ...options });
    peer.connect('whoami', () => name);
    peer.peers.on('join', (other) => told.push(`${name}: ${other.name} joined`));
    peer.peers.on('leave', (other, why) => told.push(`${name}: ${other.name} ${why}`));
    peers.push(peer);
    return peer.start();
  }

  const whoami = (from: Peer, to: Peer): Promise<string> =>
    from.remote<() => string>('whoami').on(to.id, { deadline: 5_000 })();

  it('are one peer each, with a direct connection', async () => {
    const memory = new MemoryNetwork();
    const a = await make('a', { networks: [nats(), memory] });
    const b = await make('b', { networks: [memory, nats()] });
    await Promise.all([a.peers.ready({ name: 'b' }), b.peers.ready({ name: 'a' })]);
    // Until the hints at NATS have been told, too.
    await Promise.all([a.getPeers(), b.getPeers()]);
    expect(bindingOf(a, b)).to.equal('memory');
    expect(await whoami(a, b)).to.equal('b');
    expect(told).to.have.members(['a: b joined', 'b: a joined']);
  });

  it('go on through NATS when the direct connection breaks, and nobody leaves', async () => {
    const memory = new MemoryNetwork();
    const a = await make('a', { networks: [memory, nats()] });
    const b = await make('b', { networks: [memory, nats()] });
    await Promise.all([a.peers.ready({ name: 'b' }), b.peers.ready({ name: 'a' })]);
    await Promise.all([a.getPeers(), b.getPeers()]);
    memory.cut(a, b);
    await eventually(() => bindingOf(a, b) === 'nats' && bindingOf(b, a) === 'nats');
    expect([await whoami(a, b), await whoami(b, a)]).to.deep.equal(['b', 'a']);
    expect(told).to.have.members(['a: b joined', 'b: a joined']);
    await b.stop();
    await eventually(() => told.length === 3 + Number(told.includes('b: a stopped')));
    expect(told).to.include('a: b stopped');
  });

  it('go back to a direct connection when there is one again, and no call fails', async () => {
    const memory = new MemoryNetwork();
    // The next look at the links comes soon.
    const clock = {
      ...systemClock,
      setTimeout: (callback: () => void, ms: number): unknown =>
        systemClock.setTimeout(callback, ms === LOOK ? 200 : ms),
    };
    const a = await make('a', { networks: [memory, nats()], clock });
    const b = await make('b', { networks: [memory, nats()] });
    await Promise.all([a.peers.ready({ name: 'b' }), b.peers.ready({ name: 'a' })]);
    await Promise.all([a.getPeers(), b.getPeers()]);
    memory.cut(a, b);
    await eventually(() => bindingOf(a, b) === 'nats' && bindingOf(b, a) === 'nats');
    memory.heal(a, b);
    const names = new Set<string>();
    await eventually(async () => {
      names.add(await whoami(a, b)).add(await whoami(b, a));
      return bindingOf(a, b) === 'memory' && bindingOf(b, a) === 'memory';
    });
    expect([...names, await whoami(a, b), await whoami(b, a)]).to.deep.equal(['b', 'a', 'b', 'a']);
    expect(told).to.have.members(['a: b joined', 'b: a joined']);
  });

  it('find those that are on one of the two networks only', async () => {
    const memory = new MemoryNetwork();
    const both = await make('both', { networks: [memory, nats()] });
    const near = await make('near', { network: memory });
    const far = await make('far', { network: nats() });
    await both.peers.ready({ where: ({ name }) => name !== 'both' }, { min: 2 });
    expect([bindingOf(both, near), bindingOf(both, far)]).to.deep.equal(['memory', 'nats']);
    expect([await whoami(both, near), await whoami(both, far), await whoami(far, both)]).to.deep.equal([
      ...['near', 'far', 'both'],
    ]);
  });

  it('start without the server, and meet those at NATS when it is there', async () => {
    const gone = await NatsServer.start();
    await gone.stop();
    const memory = new MemoryNetwork();
    const networks = [memory, natsNetwork({ servers: gone.url })];
    const a = await make('a', { networks });
    const near = await make('near', { network: memory });
    await a.peers.ready({ name: 'near' });
    expect(await whoami(a, near)).to.equal('near');
    const alone = await make('alone', { network: natsNetwork({ servers: gone.url }) }).catch(
      (error: Error) => error.message,
    );
    expect(alone).to.include('cannot connect to NATS');
    const late = await NatsServer.start({ port: gone.port });
    try {
      const far = await make('far', { network: natsNetwork({ servers: late.url }) });
      await a.peers.ready({ name: 'far' });
      expect(await whoami(a, far)).to.equal('far');
    } finally {
      await late.stop();
    }
  });

  it('see a SIGKILL soon, although the peer may be somewhere else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
    const script = `
      import { createPeer } from 'app-net';
      import { natsNetwork } from '${new URL('../../dist/nats.js', import.meta.url).href}';
      const networks = ['host', natsNetwork({ servers: '${server.url}' })];
      await createPeer({ name: 'victim', secret: '${secret}', networks }).start();
      setInterval(() => {}, 1_000);
    `;
    const victim = await processes.start(folder, script);
    const witness = await make('witness', { networks: ['host', nats()], runtimeDir: folder });
    const [there] = await witness.peers.ready({ name: 'victim' });
    await witness.getPeers();
    expect(bindingOf(witness, there)).to.equal('loopback');
    const killed = performance.now();
    await victim.kill();
    await eventually(() => told.includes('witness: victim lost'));
    expect(performance.now() - killed).to.be.below(4_000);
    await rm(folder, { recursive: true, force: true });
  });

  it('are refused where the networks make no sense', () => {
    const wrong = [[], ['lan'], [null], [nats(), 'host', 'host'], 'host'];
    for (const networks of wrong)
      expect(() => createPeer({ secret, networks: networks as never })).to.throw(TypeError, 'networks: give');
    expect(() => createPeer({ network: nats(), networks: ['host'] })).to.throw(TypeError, 'leave out one');
  });
});
