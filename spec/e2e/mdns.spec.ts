import { expect } from 'chai';

import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { Avahi, AVAHI } from '../support/avahi.ts';
import { Lan, needLan } from '../support/lan.ts';
import type { LanHost } from '../support/lan-host.ts';
import type { TestProcess } from '../support/processes.ts';

/** A peer that says what it sees, and stops when it is told to. */
const PEER = `
import { createPeer } from 'app-net';
const say = (line) => console.log(JSON.stringify(line));
const peer = createPeer({ lan: true });
const began = performance.now();
peer.peers.on('join', ({ id, name, scope }) => say({ join: name, id, scope, after: performance.now() - began }));
peer.peers.on('leave', ({ name }, why) => say({ leave: name, why }));
await peer.start();
const discovery = peer.actor.system.get('discovery');
let told;
discovery.subscribe(({ context }) => {
  const reason = context.degraded.mdns?.message;
  if (told !== reason) say({ degraded: (told = reason) ?? 'no longer' });
});
say({ online: peer.id });
process.on('SIGTERM', () => peer.stop());
process.on('SIGINT', () => process.exit());
`;

/** Listens, says nothing, and counts who comes. */
const NO_PEER = `
import { createServer } from 'node:net';
let count = 0;
createServer((socket) => {
  socket.on('error', () => {}).resume();
  console.log(JSON.stringify({ dialled: ++count }));
  socket.end('SSH-2.0-OpenSSH_9.2p1\\r\\n');
}).listen(4711, () => console.log('{"listening":true}'));
`;

interface Line {
  online?: string;
  join?: string;
  leave?: string;
  why?: string;
  scope?: string;
  after?: number;
  degraded?: string;
  dialled?: number;
}

describe('peers on a LAN', function () {
  this.timeout(120_000);
  let lan: Lan;
  let env: NodeJS.ProcessEnv;

  before(function () {
    return needLan(this, 'tcpdump', 'nft', ...AVAHI);
  });
  beforeEach(async () => {
    env = { APP_NET_SECRET: makeSecret() };
    lan = await Lan.open();
  });
  afterEach(() => lan?.close());

  /** Resolves with the peer once it is online. */
  async function start(host: LanHost, name: string, more: NodeJS.ProcessEnv = {}): Promise<TestProcess> {
    const peer = await host.start(PEER, { env: { ...env, APP_NET_NAME: name, ...more } });
    await peer.line((line: Line) => line.online !== undefined);
    return peer;
  }

  const joined = (peer: TestProcess, name: string): Promise<Line> => peer.line((line) => line.join === name);
  const left = (peer: TestProcess, name: string): Promise<Line> => peer.line((line) => line.leave === name);
  const idOf = (peer: TestProcess): string => (peer.lines as Line[]).find((line) => line.online)!.online!;

  it('find each other with only a secret', async () => {
    const [a, b] = [await lan.host('a'), await lan.host('b')];
    const one = await start(a, 'one');
    const times: number[] = [];
    // The best of some: a machine that is busy with something else says nothing about the library.
    for (let round = 0; round < 5 && !(Math.min(...times) < 500); round += 1) {
      const two = await start(b, `two, round ${round}`);
      const { scope, after } = await joined(two, 'one');
      expect(scope).to.equal('lan');
      await joined(one, `two, round ${round}`);
      await two.kill();
      times.push(after!);
    }
    console.log(
      `      joined ${times.map((each) => each.toFixed(0)).join(', ')} ms after the second peer was started`,
    );
    expect(Math.min(...times)).to.be.below(500);
  });

  it('say goodbye when they stop and when their process ends', async () => {
    const [a, b] = [await lan.host('a'), await lan.host('b')];
    const one = await start(a, 'one');
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const capture = await lan.capture();
      const other = await start(b, `ended by ${signal}`);
      await joined(one, `ended by ${signal}`);
      // Until both have told each other whom they know: a process that ends with data that it has not read loses what it sent.
      await new Promise((resolve) => setTimeout(resolve, 200));
      other.child.kill(signal);
      expect(await left(one, `ended by ${signal}`)).to.include({ why: 'stopped' });
      expect(await other.exited).to.equal(0);
      const bytes = await capture.stop();
      // A pointer (12) of the internet (1) that holds no longer (0).
      const goodbye = Buffer.concat([
        Buffer.from('\x08_app-net\x04_tcp\x05local\x00', 'latin1'),
        Buffer.from([0, 12, 0, 1, 0, 0, 0, 0]),
      ]);
      expect(bytes.includes(goodbye)).to.equal(true);
    }
  });

  it('appear in the list of avahi on every host, with all of their text, and many on one host', async () => {
    const [a, b] = [await lan.host('a'), await lan.host('b')];
    const [here, there] = await Promise.all([Avahi.start(a), Avahi.start(b)]);
    const peers = await Promise.all(['a1', 'a2', 'a3'].map((name) => start(a, name)));
    peers.push(await start(b, 'b1'));
    for (const avahi of [here, there]) {
      const listed = await avahi.browse('_app-net._tcp');
      for (const peer of peers) {
        const own = listed.filter((line) => line.includes(`"id=${idOf(peer)}"`));
        const own4 = peer === peers[3] ? b.address : a.address;
        const families = new Set(own.map((line) => line.split(';')[2]));
        expect(families, listed.join('\n')).to.deep.equal(new Set(['IPv4', 'IPv6']));
        for (const line of own) {
          const [, network, , instance, type, domain, host, address, , text] = line.split(';');
          expect([network, type, domain]).to.deep.equal(['eth0', '_app-net._tcp', 'local']);
          expect(host).to.match(/^app-net-[0-9a-f]{20}\.local$/);
          // Whichever of the host's addresses avahi takes for the one.
          expect(address!.startsWith('fe80:') ? own4 : address).to.equal(own4);
          const life = /"life=([\w-]+)"/.exec(text!)?.[1];
          expect(life?.toLowerCase()).to.equal(instance);
          expect(text).to.include('"txtvers=1"').and.include('"versions=1"');
        }
      }
    }
    // And they are peers of each other, while somebody else has the port, too.
    for (const peer of peers) {
      for (const name of ['a1', 'a2', 'a3', 'b1']) {
        if (peer !== peers[['a1', 'a2', 'a3', 'b1'].indexOf(name)]) await joined(peer, name);
      }
    }
    peers[0]!.child.kill('SIGTERM');
    await peers[0]!.exited;
    await eventually(async () => {
      const rest = (await there.browse('_app-net._tcp')).join('\n');
      expect(rest).not.to.include(idOf(peers[0]!));
      for (const peer of peers.slice(1)) expect(rest).to.include(idOf(peer));
    }, 15_000);
  });

  it('try an endpoint that avahi announces and that is not a peer, and never accept it', async () => {
    const [a, b] = [await lan.host('a'), await lan.host('b')];
    const [here, there] = await Promise.all([Avahi.start(a), Avahi.start(b)]);
    const one = await start(a, 'one');
    const endpoints = await Promise.all([a, b].map((host) => host.start(NO_PEER)));
    await Promise.all(endpoints.map((each) => each.line((line: object) => 'listening' in line)));
    await here.publish('near. by', '_app-net._tcp', 4711, 'id=near', 'life=near-1');
    await there.publish('far away', '_app-net._tcp', 4711, 'ID=far', 'life=far-1');
    await there.publish('without a text', '_app-net._tcp', 4711);
    for (const each of endpoints) await each.line((line: Line) => line.dialled === 2);
    const two = await start(b, 'two');
    await joined(one, 'two');
    await joined(two, 'one');
    for (const [peer, other] of [[one, 'two'] as const, [two, 'one'] as const]) {
      expect((peer.lines as Line[]).flatMap((line) => line.join ?? [])).to.deep.equal([other]);
    }
  });

  it('find each other on an interface that comes up later, and with IPv6 alone', async () => {
    const [a, b] = [await lan.host('a'), await lan.host('b')];
    await b.unplug('eth0');
    const one = await start(a, 'one');
    const two = await start(b, 'two');
    const { degraded } = await two.line((line: Line) => line.degraded !== undefined);
    expect(degraded)
      .to.match(/no network interface/)
      .and.match(/APP_NET_PEERS/);
    await a.plug('lab');
    const name = await b.plug('lab');
    await b.exec('ip', '-4', 'addr', 'flush', 'dev', name);
    await joined(one, 'two');
    await joined(two, 'one');
    await two.line((line: Line) => line.degraded === 'no longer');
  });

  it('report that a firewall hides them, and what to do instead', async () => {
    const [a, b, c] = [await lan.host('a'), await lan.host('b'), await lan.host('c')];
    const closed = (host: LanHost, way: 'input' | 'output'): Promise<string> => {
      const chain = `add chain inet wall ${way} { type filter hook ${way} priority 0; }`;
      const rule = `add rule inet wall ${way} udp dport 5353 drop`;
      return host.exec('nft', `add table inet wall; ${chain}; ${rule}`);
    };
    await Promise.all([closed(a, 'output'), closed(b, 'input')]);
    const [mute, deaf, free] = [await start(a, 'mute'), await start(b, 'deaf'), await start(c, 'free')];
    const reason = async (peer: TestProcess): Promise<string> =>
      (await peer.line((line: Line) => line.degraded !== undefined)).degraded!;
    expect(await reason(mute))
      .to.match(/EPERM/)
      .and.match(/APP_NET_PEERS=host:port/);
    expect(await reason(deaf))
      .to.match(/firewall.*UDP port 5353/)
      .and.match(/APP_NET_PEERS=host:port/);
    // Each is found all the same: one by what it says, the other by what it hears.
    await Promise.all([joined(free, 'deaf'), joined(mute, 'deaf'), joined(mute, 'free')]);
    await a.exec('nft', 'delete table inet wall');
    await mute.line((line: Line) => line.degraded === 'no longer');
    expect((free.lines as Line[]).some((line) => line.degraded !== undefined)).to.equal(false);
  });

  it('find each other again after the cable was unplugged', async () => {
    const [a, b] = [await lan.host('a'), await lan.host('b')];
    const [one, two] = [await start(a, 'one'), await start(b, 'two')];
    await joined(one, 'two');
    await b.cut();
    await Promise.all([left(one, 'two'), left(two, 'one')]);
    await two.line((line: Line) => line.degraded !== undefined);
    await b.heal();
    const healed = performance.now();
    const rejoined = (peer: TestProcess): Promise<void> =>
      eventually(() => {
        expect((peer.lines as Line[]).filter((line) => line.join !== undefined)).to.have.length(2);
      }, 10_000);
    await Promise.all([rejoined(one), rejoined(two)]);
    console.log(
      `      together again ${(performance.now() - healed).toFixed(0)} ms after the cable was in again`,
    );
  });

  it('do not keep their process alive by listening', async () => {
    const host = await lan.host('a');
    const script = `
      import { configure, connect, getPeers } from 'app-net';
      configure({ lan: true });
      connect('nothing', () => {});
      console.log(JSON.stringify({ peers: (await getPeers()).length }));`;
    const peer = await host.start(script, { env });
    expect(await peer.line((line: object) => 'peers' in line)).to.deep.equal({ peers: 0 });
    expect(await peer.exited).to.equal(0);
  });
});
