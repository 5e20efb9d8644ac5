import { expect } from 'chai';

import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { Lan, needLan } from '../support/lan.ts';
import type { LanHost } from '../support/lan-host.ts';
import { ip } from '../support/lan-tools.ts';
import type { TestProcess } from '../support/processes.ts';

/** A peer that says who comes and goes, and when, in ms of the clock that all processes share. */
const PEER = `
import { createPeer } from 'app-net';
const say = (line) => console.log(JSON.stringify({ ...line, at: performance.timeOrigin + performance.now() }));
const peer = createPeer();
const began = performance.timeOrigin + performance.now();
peer.peers.on('join', ({ name }) => say({ join: name }));
peer.peers.on('leave', ({ name }, why) => say({ leave: name, why }));
await peer.start();
say({ began });
`;

interface Line {
  began?: number;
  join?: string;
  leave?: string;
  at: number;
}

describe('hosts without multicast', function () {
  this.timeout(120_000);
  const secret = makeSecret();
  let lan: Lan;
  let seedHost: LanHost;
  let a: LanHost;
  let b: LanHost;

  before(async function () {
    await needLan(this);
    lan = await Lan.open();
    [seedHost, a, b] = [await lan.host('seed'), await lan.host('a'), await lan.host('b')];
    for (const { port } of [seedHost, a, b]) {
      await ip('-n', lan.namespace, 'link', 'set', port, 'type', 'bridge_slave', 'mcast_flood', 'off');
    }
  });
  after(() => lan?.close());

  function start(host: LanHost, name: string, env: NodeJS.ProcessEnv = {}): Promise<TestProcess> {
    return host.start(PEER, {
      env: { APP_NET_LAN: '1', APP_NET_SECRET: secret, APP_NET_NAME: name, ...env },
    });
  }

  const joins = (peer: TestProcess, name: string): Promise<Line> =>
    peer.line<Line>(({ join }) => join === name);

  it('find each other through one seed, even peers that only the seed can see', async () => {
    const alone = await start(b, 'alone');
    const seed = await start(seedHost, 'seed', { APP_NET_PORT: '4000' });
    // On the seed's host, and nothing says anything of it to other hosts but the seed.
    const worker = await start(seedHost, 'worker');
    await joins(seed, 'worker');
    const APP_NET_PEERS = `${seedHost.address}:4000`;
    const first = await start(a, 'first', { APP_NET_PEERS });
    const second = await start(b, 'second', { APP_NET_PEERS });
    const { began } = await second.line<Line>((line) => line.began !== undefined);
    const all = { seed, worker, first, second };
    const times: number[] = [];
    for (const [name, peer] of Object.entries(all)) {
      for (const other of Object.keys(all)) {
        if (other === name) continue;
        const { at } = await joins(peer, other);
        times.push(at);
      }
    }
    console.log(`      (all met ${(Math.max(...times) - began!).toFixed(0)} ms after the last had started)`);
    const joined = (peer: TestProcess): string[] => (peer.lines as Line[]).flatMap(({ join }) => join ?? []);
    for (const peer of Object.values(all)) expect(joined(peer)).to.have.length(new Set(joined(peer)).size);
    // Found through the files of its host, and by nobody else: it has no seed, and the list is only for who asks.
    await joins(alone, 'second');

    await seed.kill();
    const again = await start(seedHost, 'seed again', { APP_NET_PORT: '4000' });
    const back = await Promise.all([first, second, worker].map((peer) => joins(peer, 'seed again')));
    const { began: restarted } = await again.line<Line>((line) => line.began !== undefined);
    const took = Math.max(...back.map(({ at }) => at)) - restarted!;
    console.log(`      (a seed that was killed and started again was found after ${took.toFixed(0)} ms)`);
    expect(took).to.be.below(11_000);
    // Peers that found each other by the seed stay together without it.
    expect(
      (first.lines as Line[]).filter(({ leave }) => leave !== undefined).map(({ leave }) => leave),
    ).to.deep.equal(['seed']);
    for (const each of [alone, worker, first, second, again]) await each.kill();
  });
});
