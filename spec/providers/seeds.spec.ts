import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import type { Peer, PeerOptions } from '../../src/index.ts';
import { systemClock } from '../../src/base/time/clock.ts';
import { DnsProvider } from '../../src/providers/dns.ts';
import type { NameSeed } from '../../src/providers/dns.ts';
import { hostNetwork } from '../../src/providers/host/host-network.ts';
import { resolveOptions } from '../../src/peer/options/options.ts';
import type { Network } from '../../src/providers/network.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { DnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/eventually.ts';
import { meet, portOf, Stage } from '../support/peers.ts';
import { freePort } from '../support/free-port.ts';

describe('a peer with seeds', () => {
  const stage = new Stage();
  const secret = makeSecret();
  afterEach(() => stage.clear());

  /** Each in a runtime directory of its own, so that they have nothing but their seeds. */
  async function make(options: PeerOptions): Promise<Peer> {
    return stage.make({ secret, runtimeDir: await stage.folder(), ...options });
  }

  const candidate = (peer: Peer, key: string) =>
    peer.actor.system.get('discovery').getSnapshot().context.candidates.get(key);

  it('finds the peer that listens there, and is found', async () => {
    const a = await (await make({ name: 'a' })).start();
    const b = await (await make({ name: 'b', seeds: [`127.0.0.1:${portOf(a)}`] })).start();
    expect((await b.getPeers()).map(({ name }) => name)).to.deep.equal(['a']);
    expect((await meet(a, b.id)).map(({ name }) => name)).to.deep.equal(['b']);
  });

  it('resolves names, and accepts IPv6 addresses', async () => {
    const a = await (await make({ name: 'a' })).start();
    const six = await (await make({ name: 'six', host: '::1' })).start();
    const seeds = [`localhost:${portOf(a)}`, `[::1]:${portOf(six)}`];
    const b = await (await make({ name: 'b', seeds })).start();
    await meet(b, a.id, six.id);
  });

  it('finds a peer that starts later, and another one in its place', async () => {
    const port = await freePort();
    const a = await (await make({ name: 'a', seeds: [`127.0.0.1:${port}`] })).start();
    expect(await a.getPeers()).to.deep.equal([]);
    const first = await (await make({ name: 'first', port })).start();
    await meet(a, first.id);
    await first.stop();
    await eventually(() => a.peers.size === 0);
    const second = await (await make({ name: 'second', port })).start();
    await meet(a, second.id);
    expect(candidate(a, `127.0.0.1:${port}`)).to.include({ state: 'up', answeredBy: second.id });
  });

  it('has one connection to a peer with two addresses, and to one that was also found otherwise', async () => {
    const a = await (await make({ name: 'a' })).start();
    const runtimeDir = await stage.folder();
    const c = await (await make({ name: 'c', runtimeDir })).start();
    const seeds = [a, c].flatMap((peer) => [`127.0.0.1:${portOf(peer)}`, `localhost:${portOf(peer)}`]);
    const b = await make({ name: 'b', runtimeDir, seeds });
    const story: string[] = [];
    b.peers.on('join', ({ name }) => story.push(`+${name}`));
    b.peers.on('leave', ({ name }) => story.push(`-${name}`));
    await b.start();
    await meet(b, a.id, c.id);
    await eventually(() => seeds.every((key) => candidate(b, key)?.state === 'up'));
    expect(seeds.map((key) => candidate(b, key).answeredBy)).to.deep.equal([a.id, a.id, c.id, c.id]);
    for (const { id } of [a, c]) {
      await eventually(() => b.actor.system.get(`connection:${id}`).getSnapshot().context.links.length === 1);
    }
    expect(story.toSorted()).to.deep.equal(['+a', '+c']);
    expect([...b.actor.getSnapshot().context.connections.keys()]).to.have.members([a.id, c.id]);
  });

  it('may be its own seed', async () => {
    const port = await freePort();
    const a = await make({ name: 'a', port, seeds: [`127.0.0.1:${port}`, `localhost:${port}`] });
    await a.start();
    expect(await a.getPeers()).to.deep.equal([]);
    // The one by its text, the other because the hello came from itself.
    expect(candidate(a, `127.0.0.1:${port}`)).to.equal(undefined);
    expect(candidate(a, `localhost:${port}`)).to.include({ state: 'left', answeredBy: a.id, failures: 0 });
  });

  it('keeps trying a seed without a peer, and reports that until one comes', async () => {
    const port = await freePort();
    // Pauses of a tenth of the longest: six of them and the next are a second and a quarter.
    const random = (): number => 0.1;
    const a = await (await make({ name: 'a', seeds: [`127.0.0.1:${port}`], random })).start();
    const degraded = (): Error | undefined =>
      a.actor.system.get('discovery').getSnapshot().context.degraded.static;
    await eventually(() => candidate(a, `127.0.0.1:${port}`).failures > 5);
    expect(candidate(a, `127.0.0.1:${port}`).hints.size).to.equal(1);
    expect(degraded()?.message).to.equal(`127.0.0.1:${port}: nobody listens there`);
    const late = await (await make({ name: 'late', port })).start();
    await meet(a, late.id);
    expect(degraded()).to.equal(undefined);
  });

  it('does not join a peer with another secret', async () => {
    const a = await (await make({ name: 'a', secret: makeSecret() })).start();
    const b = await (await make({ name: 'b', seeds: [`127.0.0.1:${portOf(a)}`] })).start();
    await eventually(() => candidate(b, `127.0.0.1:${portOf(a)}`).failures > 1);
    expect([a.peers.size, b.peers.size]).to.deep.equal([0, 0]);
  });

  it('joins each seed once when all are seeds of each other and start at the same instant', async () => {
    for (let round = 0; round < 10; round += 1) {
      const ports = [await freePort(), await freePort(), await freePort()];
      const seeds = ports.map((port) => `127.0.0.1:${port}`);
      const peers = await Promise.all(ports.map((port) => make({ name: String(port), port, seeds })));
      const story: string[] = [];
      for (const peer of peers) {
        peer.connect('name', () => peer.name);
        peer.peers.on('leave', ({ name }, why) => story.push(`${name} leaves ${peer.name}: ${why}`));
        peer.peers.on('join', (other) => {
          const told = (answer: unknown): unknown =>
            story.push(`${other.name} says ${String(answer)} to ${peer.name}`);
          other.call('name').then(told, told);
        });
      }
      await Promise.all(peers.map((peer) => peer.start()));
      await eventually(() => story.length >= 6);
      const pairs = peers.flatMap((peer) =>
        peers.filter((other) => other !== peer).map((other) => [peer, other] as const),
      );
      await eventually(() => pairs.every(([peer, { id }]) => linksOf(peer, id) === 1));
      expect(story).to.have.members(pairs.map(([peer, { name }]) => `${name} says ${name} to ${peer.name}`));
      await stage.clear();
    }
  }).timeout(120_000);

  const linksOf = (peer: Peer, id: string): number =>
    peer.actor.system.get(`connection:${id}`).getSnapshot().context.links.length;

  it('learns from a seed of the peers that came before, and finds them', async () => {
    const seed = await (await make({ name: 'seed' })).start();
    const seeds = [`127.0.0.1:${portOf(seed)}`];
    const others = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => (await make({ name: `p${index}`, seeds })).start()),
    );
    const all = [seed, ...others];
    await Promise.all(
      all.map((peer) => meet(peer, ...all.filter((each) => each !== peer).map(({ id }) => id))),
    );
  });

  it('is not told of peers that have left or cannot be found', async () => {
    const seed = await (await make({ name: 'seed' })).start();
    const seeds = [`127.0.0.1:${portOf(seed)}`];
    const gone = await (await make({ name: 'gone', seeds })).start();
    const hidden = await (await make({ name: 'hidden', seeds, announce: false })).start();
    await meet(seed, gone.id, hidden.id);
    await gone.stop();
    await eventually(() => seed.peers.size === 1);
    const a = await (await make({ name: 'a', seeds })).start();
    expect((await a.getPeers()).map(({ name }) => name)).to.deep.equal(['seed']);
  });

  describe('with DNS names', () => {
    let server: DnsServer;
    beforeEach(async () => {
      server = await new DnsServer().start();
    });
    afterEach(() => server.stop());

    /** This host, and a DNS of the test's own. */
    const networkOf = (runtimeDir: string, seed: NameSeed): Network => ({
      attach: async (user) => {
        const attachment = await hostNetwork(resolveOptions({ runtimeDir }, {})).attach(user);
        const provider = new DnsProvider([seed], systemClock, Math.random, server.names());
        return { ...attachment, providers: [...attachment.providers, provider] };
      },
    });

    async function looking(seed: NameSeed): Promise<Peer> {
      const runtimeDir = await stage.folder();
      return stage.make({ name: 'looking', secret, network: networkOf(runtimeDir, seed) });
    }

    it('finds a peer at every address of a name, and keeps a peer whose address is removed', async () => {
      const port = await freePort();
      const there = [];
      for (const host of ['127.0.0.1', '127.0.0.2', '127.0.0.3']) {
        there.push(await (await make({ name: host, host, port })).start());
      }
      server.a('workers.example', '127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4');
      const a = await looking({ kind: 'addresses', name: 'workers.example', port });
      await a.start();
      await meet(a, ...there.map(({ id }) => id));
      server.a('workers.example', '127.0.0.1');
      // The address where nobody is has the name asked for again at once.
      await eventually(() => candidate(a, `127.0.0.4:${port}`) === undefined);
      expect(a.peers.size).to.equal(3);
    });

    it('is not slowed down when the DNS is right', async () => {
      const hosts = Array.from({ length: 20 }, (_, index) => `127.0.0.${index + 1}`);
      const port = await freePort();
      const there = await Promise.all(hosts.map(async (host) => (await make({ host, port })).start()));
      server.a('workers.example', ...hosts);
      const clock = new SimulatedClock();
      const seed: NameSeed = { kind: 'addresses', name: 'workers.example', port };
      const a = stage.make({ secret, clock, network: networkOf(await stage.folder(), seed) });
      await a.start();
      // Hardly any time passes in which dials in vain would be made up for.
      const ticking = setInterval(() => clock.increment(1), 5);
      await meet(a, ...there.map(({ id }) => id)).finally(() => clearInterval(ticking));
      expect(clock.now()).to.be.below(2_000);
    });

    it('finds a peer at every target of a service', async () => {
      const there = await Promise.all(['b', 'c'].map(async (name) => (await make({ name })).start()));
      server.srv(
        '_app-net._tcp.example',
        ...there.map((peer) => ['localhost', portOf(peer)] as [string, number]),
      );
      const a = await looking({ kind: 'services', name: '_app-net._tcp.example' });
      await a.start();
      await meet(a, ...there.map(({ id }) => id));
    });

    it('starts even when no server answers, and reports that', async () => {
      server.mood = 'silent';
      const a = await looking({ kind: 'services', name: '_app-net._tcp.example' });
      await a.start();
      expect(await a.getPeers()).to.deep.equal([]);
      const { degraded } = a.actor.system.get('discovery').getSnapshot().context;
      expect(degraded.dns.message).to.equal('_app-net._tcp.example: ETIMEOUT');
    });
  });
});
