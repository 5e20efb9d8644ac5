import { expect } from 'chai';

import { createPeer } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import { natsNetwork } from '../../src/nats.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { run } from '../support/command.ts';
import { NatsServer, needNats } from '../support/nats-server.ts';

interface Result {
  status: 'ok' | 'note' | 'problem';
  check: string;
  says: string;
  todo?: string;
}

/** The account `app` is told of its connections; the user `mute` may not do what peers do. */
const ACCOUNTS = `
  accounts {
    SYS { users: [{ user: sys, password: sys }]
      exports: [{ stream: "$SYS.ACCOUNT.*.>", account_token_position: 3, accounts: [APP] }] }
    APP {
      users: [
        { user: app, password: hidden }
        { user: mute, password: hidden, permissions: { publish: "other.>", subscribe: "other.>" } }
      ]
      imports: [{ stream: { account: SYS, subject: "$SYS.ACCOUNT.APP.>" } }]
    }
  }
  system_account: SYS
`;

describe('app-net --nats', function () {
  this.timeout(120_000);
  const secret = makeSecret();
  const env = { APP_NET_SECRET: secret };
  let server: NatsServer;
  let strict: NatsServer;
  const peers: Peer[] = [];

  before(async function () {
    needNats(this);
    server = await NatsServer.start();
    strict = await NatsServer.start({ configuration: ACCOUNTS });
    await start('far');
  });

  const start = async (name: string): Promise<Peer> => {
    const peer = createPeer({ name, secret, network: natsNetwork({ servers: server.url }) });
    peers.push(peer);
    peer.connect('double', (n: number) => 2 * n);
    return peer.start();
  };

  after(async () => {
    await Promise.all(peers.map((peer) => peer.stop()));
    await server?.stop();
    await strict?.stop();
  });

  const doctor = async (
    args: string[],
    more: NodeJS.ProcessEnv = env,
  ): Promise<{ code: number | null; of: (check: string) => Result | undefined; out: string }> => {
    const { code, lines, out } = await run(['doctor', '--json', ...args], more);
    return { code, out, of: (check) => (lines as Result[]).find((each) => each.check === check) };
  };

  it('lists and calls peers that meet at the server', async () => {
    const listed = await run(['peers', '--json', '--nats', server.url], env);
    expect(listed.lines).to.have.length(1);
    expect(listed.lines[0]).to.include({ name: 'far', scope: 'wan', network: 'nats' });
    const table = await run(['peers', '--no-json', '--nats', server.url], env);
    expect(table.out).to.match(/far +main +.+, process \d+, by NATS/);
    const called = await run(['call', 'double', '21', '--nats', server.url], env);
    expect([called.code, called.out.trim()]).to.deep.equal([0, '42']);
  });

  it('says what is wrong with a server that is not there, or a secret that is missing', async () => {
    const away = await run(['peers', '--nats', 'nats://127.0.0.1:1'], env);
    expect(away.code).to.equal(5);
    expect(away.errors).to.include('cannot connect to NATS at 127.0.0.1:1: connection refused');
    const { APP_NET_SECRET: _, ...without } = process.env;
    const bare = await run(['peers', '--nats', server.url], { ...without, APP_NET_SECRET: '' });
    expect(bare.errors).to.include('npx app-net secret');
  });

  it('doctor checks the server and finds the peers', async () => {
    const { code, of } = await doctor(['--nats', server.url]);
    expect(code).to.equal(0);
    expect(of('NATS')!.says).to.match(
      /^nats-server \d+\.\d+\.\d+ at 127\.0\.0\.1:\d+, round trip \d+\.\d+ ms$/,
    );
    expect(of('NATS rights')!.status).to.equal('ok');
    expect(of('NATS deaths')).to.include({ status: 'note' });
    expect(of('NATS deaths')!.todo).to.include('$SYS.ACCOUNT.<account>.>');
    expect(of('peers')!.says).to.include('1 peer in the group "main"');
    expect(of('runtime directory')).to.equal(undefined);
  });

  it('doctor counts peers that it is not linked to among those that are reached', async () => {
    const more = await Promise.all(['nearer', 'nearest'].map((name) => start(name)));
    try {
      await Promise.all(more.map((peer) => peer.peers.ready('double', { min: 2 })));
      const { code, of } = await doctor(['--nats', server.url]);
      expect(of('peers')!.says).to.equal('3 peers in the group "main", 3 of them by NATS');
      expect(of('no peer')).to.equal(undefined);
      expect(code).to.equal(0);
    } finally {
      await Promise.all(more.map((peer) => peer.stop()));
    }
  });

  it('doctor says that the server tells of ended connections, and shows no password', async () => {
    const { of, out } = await doctor(['--nats', strict.url.replace('//', '//app:hidden@')]);
    expect(of('NATS deaths')!.status).to.equal('ok');
    expect(out).not.to.include('hidden');
  });

  it('doctor reports a wrong login, missing rights, no server and no made secret', async () => {
    const wrong = await doctor(['--nats', strict.url.replace('//', '//app:wrong@')]);
    expect(wrong.of('NATS')).to.include({ status: 'problem' });
    expect(wrong.of('NATS')!.says).to.match(/authorization/i);
    const mute = await doctor(['--nats', strict.url.replace('//', '//mute:hidden@')]);
    expect(mute.of('NATS rights')).to.include({ status: 'problem' });
    expect(mute.of('NATS rights')!.todo).to.include('net.>');
    const away = await doctor(['--nats', 'nats://127.0.0.1:1']);
    expect(away.of('NATS')!.says).to.include('connection refused');
    const weak = await doctor(['--nats', server.url], { APP_NET_SECRET: 'correct horse battery staple' });
    expect(weak.of('NATS')!.todo).to.include('app-net secret');
    for (const { code } of [wrong, mute, away, weak]) expect(code).to.equal(1);
  });
});
