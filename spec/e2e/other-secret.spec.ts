import { expect } from 'chai';

import type { Peer } from '../../src/index.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

/** Looks for a function, and says how that went. */
const LOOK = `
  import { createPeer } from 'app-net';
  const own = createPeer(JSON.parse(process.argv[2]));
  const said = (error) => console.log(JSON.stringify(error.message));
  await own.peers.ready('double', { signal: AbortSignal.timeout(1_500) }).catch(said);
  await own.remote('double').any()(1).catch(said);
  console.log('over');
  await own.stop();`;

describe('a peer that has another secret than those around it', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  const portOf = (peer: Peer): number => peer.actor.getSnapshot().context.opened.listener.addresses[0].port;

  async function look(
    options: object,
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ said: string[]; errors: string }> {
    const folder = await stage.folder();
    const script = LOOK.replace(
      'process.argv[2]',
      JSON.stringify(JSON.stringify({ runtimeDir: folder, ...options })),
    );
    const looking = await processes.start(folder, script, { env });
    await looking.line((line) => line === 'over');
    await looking.exited;
    return { said: looking.lines.slice(0, -1).map(String), errors: looking.errors };
  }

  it('says so on stderr, once, and in the errors of those who wait, when it knows their address', async () => {
    const others = await Promise.all(
      [1, 2].map(async () => stage.make({ runtimeDir: await stage.folder(), secret: makeSecret() }).start()),
    );
    const seeds = others.map((each) => `127.0.0.1:${portOf(each)}`);
    const { said, errors } = await look({ seeds, secret: makeSecret() });
    const known = /127\.0\.0\.1:\d+ did not accept the secret of this peer/;
    expect(errors).to.match(known).and.to.include('Give both the same APP_NET_SECRET_FILE');
    expect(errors.split('did not accept')).to.have.length(2);
    expect(said).to.have.length(2);
    for (const each of said) expect(each).to.match(known);
    expect(said[0]).to.match(/no other peer is there; 127.*; npx app-net doctor looks for the reason/);
  });

  it('says so when it finds them on its host, and nobody else', async () => {
    const runtimeDir = await stage.folder();
    const other = await stage.make({ runtimeDir, secret: makeSecret() }).start();
    const { said, errors } = await look({ runtimeDir, secret: makeSecret() });
    expect(errors).to.include(
      `${other.id} at 127.0.0.1:${portOf(other)}, found through host, has another secret`,
    );
    expect(said[1]).to.include('found through host, has another secret');
  });

  it('says so when it has a pass that is not accepted, and what to do', async () => {
    const runtimeDir = await stage.folder();
    const other = await stage.make({ runtimeDir, secret: makeSecret() }).start();
    const pass = await other.pass({ may: ['double'] });
    other.revoke(pass);
    const { said, errors } = await look({ runtimeDir, pass });
    const known =
      'did not accept the pass of this peer: it has expired, was revoked or was made with another secret';
    expect(errors).to.include(known).and.to.include('Make a new pass with peer.pass()');
    expect(errors.split('did not accept')).to.have.length(2);
    expect(said).to.have.length(2);
    for (const each of said) expect(each).to.include(known).and.not.to.include('doctor');
  });

  it('says nothing when it finds others that have its secret', async () => {
    const runtimeDir = await stage.folder();
    const secret = makeSecret();
    await stage.make({ runtimeDir, secret: makeSecret() }).start();
    await stage.make({ runtimeDir, secret }).start();
    const { said, errors } = await look({ runtimeDir, secret });
    expect(errors).to.equal('');
    expect(said[1]).to.include('one peer was found').and.not.to.include('secret');
  });

  it('leaves it to the log when there is one', async () => {
    const runtimeDir = await stage.folder();
    await stage.make({ runtimeDir, secret: makeSecret() }).start();
    const { errors } = await look({ runtimeDir, secret: makeSecret() }, { APP_NET_LOG: 'warn' });
    expect(errors).to.include('made with another secret').and.not.to.include('AppNetWarning');
  });
});
