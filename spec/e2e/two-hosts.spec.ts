import { expect } from 'chai';

import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { Lan, needLan } from '../support/lan.ts';
import { MODULES } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';
import type { LanHost } from '../support/lan-host.ts';

/** A peer that says what it sees, and answers. */
const PEER = `
import { createPeer } from 'app-net';
const say = (line) => console.log(JSON.stringify(line));
const peer = createPeer({ port: 4000 });
peer.connect('function-with-a-name', (text) => 'an answer to ' + text);
peer.peers.on('join', async (other) => {
  const { name, host, scope } = other;
  say({ join: name, host, scope });
  const words = process.env.SAY;
  if (words) say({ answer: await other.call('function-with-a-name', [words]) });
});
peer.peers.on('leave', ({ name }, why) => say({ leave: name, why }));
await peer.start();
say({ online: true });
`;

/** A peer that looks at its seeds and nowhere else, so that it comes by the one address that it was told. */
const SEED_ONLY = PEER.replace(
  'createPeer({ port: 4000 })',
  `createPeer({ port: 4000, network: { attach: async (user) => {
    const attached = await hostNetwork({ runtimeDir: process.env.APP_NET_RUNTIME_DIR, lan: true, seeds: [] }).attach(user);
    return { ...attached, providers: attached.providers.filter(({ name }) => name !== 'mdns') };
  } } })`,
).replace(
  "import { createPeer } from 'app-net';",
  `import { createPeer } from 'app-net'; import { hostNetwork } from '${new URL('providers/host/host-network.js', MODULES).href}';`,
);

/** Makes five peers, one after the other, and says how long each took to see the other host's, in ms. */
const FIVE_TIMES = `
import { createPeer } from 'app-net';
const times = [];
for (let round = 0; round < 5; round += 1) {
  const began = performance.now();
  const peer = createPeer();
  const joined = new Promise((resolve) => peer.peers.on('join', resolve));
  await peer.start();
  await joined;
  times.push(performance.now() - began);
  await peer.stop();
}
console.log(JSON.stringify({ times }));
`;

interface Joined {
  join: string;
  host: string;
  scope: string;
}

describe('two hosts', function () {
  this.timeout(120_000);
  const secret = makeSecret();
  let lan: Lan;
  let a: LanHost;
  let b: LanHost;
  let c: LanHost;

  before(async function () {
    await needLan(this, 'tcpdump');
    lan = await Lan.open();
    [a, b, c] = [await lan.host('alpha'), await lan.host('beta'), await lan.host('gamma')];
  });
  after(() => lan?.close());

  const started: TestProcess[] = [];
  afterEach(() => Promise.all(started.splice(0).map((each) => each.kill())));

  async function start(host: LanHost, script: string, env: NodeJS.ProcessEnv): Promise<TestProcess> {
    const process = await host.start(script, { env });
    started.push(process);
    return process;
  }

  it('call each other with one secret, and a listener on the network understands nothing', async () => {
    const capture = await lan.capture();
    const env = { APP_NET_LAN: '1', APP_NET_SECRET: secret };
    const first = await start(a, PEER, { ...env, APP_NET_NAME: 'first' });
    await first.line((line: object) => 'online' in line);
    const asking = { APP_NET_NAME: 'second', SAY: 'words that nobody else may read' };
    const second = await start(b, PEER, { ...env, ...asking });
    const [seen, met] = await Promise.all(
      [first, second].map((each) => each.line((line: Joined) => line.join !== undefined)),
    );
    expect(seen).to.include({ join: 'second', host: 'beta', scope: 'lan' });
    expect(met).to.include({ join: 'first', host: 'alpha', scope: 'lan' });

    const { answer } = await second.line((line: { answer: string }) => line.answer !== undefined);
    expect(answer).to.equal('an answer to words that nobody else may read');

    const bytes = await capture.stop();
    const heard = bytes.toString('latin1');
    console.log(`      ${bytes.length} bytes were captured on the switch`);
    // TLS 1.3 it was: the server names that version in its hello, in the clear.
    expect(bytes.includes(Buffer.from('002b00020304', 'hex'))).to.equal(true);
    const key = Buffer.from(secret.slice(5), 'base64url');
    for (const word of [secret.slice(5), key.toString('latin1'), key.toString('hex'), 'net1_']) {
      expect(heard).not.to.include(word);
    }
    for (const word of [
      'nobody else',
      'alpha',
      'second',
      'answer',
      'function',
      'request',
      'hello',
      'welcome',
      'proof',
      'get /',
      'websocket',
    ]) {
      expect(heard.toLowerCase(), word).not.to.include(word);
    }
    for (const each of [first, second]) {
      expect(JSON.stringify(each.lines) + each.errors).not.to.include(secret.slice(5));
    }
  });

  it('join within half a second with one secret', async () => {
    const env = { APP_NET_LAN: '1', APP_NET_SECRET: secret };
    const first = await start(a, PEER, env);
    await first.line((line: object) => 'online' in line);
    const second = await start(b, FIVE_TIMES, env);
    const { times } = await second.line((line: { times: number[] }) => line.times !== undefined);
    const [best, , median] = times.toSorted((one, other) => one - other);
    console.log(`      joined after ${times.map((time) => time.toFixed(0)).join(', ')} ms`);
    console.log(`      median ${median!.toFixed(0)} ms`);
    // The best, for what else runs on this machine must not decide.
    expect(best).to.be.below(500);
  });

  it('reach each other by IPv6, even with only link-local addresses, and where there is no IPv6', async () => {
    const env = { APP_NET_LAN: '1', APP_NET_SECRET: secret };
    const first = await start(a, PEER, { ...env, APP_NET_NAME: 'first' });
    await first.line((line: object) => 'online' in line);
    // Some containers do not let it be switched off; then the third way is just one more by IPv4.
    const switchOff = (value: number): Promise<unknown> =>
      c.exec('sh', '-c', `echo ${value} > /proc/sys/net/ipv6/conf/all/disable_ipv6`).catch(() => {});
    await switchOff(1);
    for (const [host, address] of [
      [b, `[${a.address6}]:4000`],
      [b, '[fe80::1%eth0]:4000'],
      [c, `${a.address}:4000`],
    ] as const) {
      const second = await start(host, SEED_ONLY, { ...env, APP_NET_PEERS: address });
      const met = await second.line((line: Joined) => line.join !== undefined);
      expect(met, address).to.include({ join: 'first', scope: 'lan' });
      await second.kill();
    }
    await switchOff(0);
  });

  it('do not join with two secrets, and report it once', async () => {
    const env = { APP_NET_LAN: '1', APP_NET_LOG: 'warn' };
    const first = await start(a, PEER, { ...env, APP_NET_SECRET: secret });
    await first.line((line: object) => 'online' in line);
    const stranger = await start(c, PEER, { ...env, APP_NET_SECRET: makeSecret() });
    await eventually(() => expect(stranger.errors).to.include('another secret'));
    const warnings = stranger.errors.split('\n').filter((line) => line.includes(' warn '));
    expect(warnings, stranger.errors).to.have.length(1);
    expect(first.lines.concat(stranger.lines).filter((line) => 'join' in (line as object))).to.deep.equal([]);
  });
});
