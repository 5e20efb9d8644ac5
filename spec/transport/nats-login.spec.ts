import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { nkeyAuthenticator, nkeys } from '@nats-io/transport-node';
import { expect } from 'chai';

import { createPeer } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import { natsNetwork } from '../../src/nats.ts';
import type { NatsOptions } from '../../src/nats.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { NatsOperator } from '../support/nats-jwt.ts';
import { NatsServer, needNats } from '../support/nats-server.ts';
import { need } from '../support/need.ts';

const run = promisify(execFile);

describe('a login at a NATS server', function () {
  this.timeout(120_000);
  const secret = makeSecret();
  const peers: Peer[] = [];
  let server: NatsServer | undefined;
  let folder: string;

  before(function () {
    needNats(this);
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
  });

  afterEach(async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.stop({ drainTime: 0 })));
    await server?.stop();
    server = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  async function start(options: NatsOptions): Promise<Peer> {
    const peer = createPeer({ secret, network: natsNetwork(options) });
    peers.push(peer);
    return peer.start();
  }

  const failure = (options: NatsOptions): Promise<string> =>
    start(options).then(
      () => 'it started',
      (error: Error) => error.message,
    );

  /** Two peers with these options call each other. */
  async function expectToWork(options: NatsOptions): Promise<void> {
    const [one, two] = [await start(options), await start(options)];
    two.connect('twice', (n: number) => 2 * n);
    const [there] = await one.peers.ready('twice');
    expect(await one.remote<(n: number) => number>('twice').on(there)(4)).to.equal(8);
  }

  it('works with a user, and says so when the password is wrong', async () => {
    server = await NatsServer.start({
      configuration:
        'authorization { users: [{ user: ann, password: right, permissions: { publish: "net.>", subscribe: "net.>" } }] }',
    });
    await expectToWork({ servers: server.url, user: 'ann', pass: 'right' });
    expect(await failure({ servers: server.url, user: 'ann', pass: 'wrong' })).to.match(/authorization/i);
    expect(await failure({ servers: server.url })).to.match(/authorization/i);
  });

  it('works with a token', async () => {
    server = await NatsServer.start({ configuration: 'authorization { token: "t0ken" }' });
    await expectToWork({ servers: server.url.replace('//', '//t0ken@') });
    await expectToWork({ servers: server.url, token: 't0ken' });
  });

  it('works with an authenticator of the client', async () => {
    const user = nkeys.createUser();
    server = await NatsServer.start({
      configuration: `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`,
    });
    await expectToWork({ servers: server.url, authenticator: nkeyAuthenticator(user.getSeed()) });
  });

  it('works with credentials of an operator, and only while they hold', async () => {
    const operator = new NatsOperator();
    server = await NatsServer.start({ configuration: operator.configuration });
    const servers = server.url;
    const file = async (name: string, contents: string): Promise<string> => {
      await writeFile(join(folder, name), contents);
      return join(folder, name);
    };
    const allowed = { pub: { allow: ['net.>'] }, sub: { allow: ['net.>'] } };
    await expectToWork({ servers, credsFile: await file('user.creds', operator.user(allowed)) });
    const stranger = await file('stranger.creds', new NatsOperator().user());
    expect(await failure({ servers, credsFile: stranger })).to.match(/authorization/i);
    const expired = await file('expired.creds', operator.user({}, Math.floor(Date.now() / 1_000) - 60));
    expect(await failure({ servers, credsFile: expired })).to.match(/authori[sz]ation|expired/i);
    expect(await failure({ servers })).to.match(/authorization/i);
  });

  it('works over TLS, and only with a certificate that can be checked', async function () {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=nats', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    try {
      await run('openssl', [
        'req',
        '-x509',
        '-days',
        '2',
        ...curve,
        ...subject,
        '-keyout',
        key,
        '-out',
        cert,
      ]);
    } catch (error) {
      need(
        this,
        (error as NodeJS.ErrnoException).code !== 'ENOENT',
        'openssl: apt-get install openssl',
        error,
      );
      throw error;
    }
    server = await NatsServer.start({ configuration: `tls { cert_file: "${cert}", key_file: "${key}" }` });
    const servers = server.url.replace('nats://127.0.0.1', 'tls://localhost');
    await expectToWork({ servers, tls: { caFile: cert } });
    expect(await failure({ servers })).to.match(/certificate|self.signed/i);
  });
});
