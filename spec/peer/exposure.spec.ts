import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { NetError } from '../../src/base/errors.ts';
import { MAKE_SECRET } from '../../src/peer/options/exposure.ts';
import { createPeer } from '../../src/index.ts';
import { resolveOptions } from '../../src/peer/options/options.ts';
import type { PeerOptions } from '../../src/peer/options/options.ts';
import { makeSecret, PUBLIC_SECRET } from '../../src/wire/handshake/secret.ts';
import { failure, Stage } from '../support/peers.ts';

const resolve = (options: PeerOptions, environment: NodeJS.ProcessEnv = {}) =>
  resolveOptions(options, environment);
const insecure = (make: () => unknown): NetError => {
  try {
    make();
  } catch (error) {
    expect(error).to.be.instanceOf(NetError).with.property('code', 'INSECURE');
    return error as NetError;
  }
  throw new Error('nothing was refused');
};

describe('a peer that is opened to the network', () => {
  const stage = new Stage();
  const secret = makeSecret();
  afterEach(() => stage.clear());

  it('is refused without a secret, with the command that makes one', () => {
    const { message } = insecure(() => createPeer({ lan: true }));
    expect(message).to.include(MAKE_SECRET).and.to.include('APP_NET_SECRET_FILE=net.secret');
    insecure(() => resolve({}, { APP_NET_LAN: '1' }));
  });

  it('gets a secret from that command, in a file for its owner only, and nothing is printed', async () => {
    const folder = await stage.folder();
    const shell = (command: string) => promisify(execFile)('sh', ['-c', command], { cwd: folder });
    const { stdout, stderr } = await shell(MAKE_SECRET);
    expect(stdout + stderr.replace(/npm warn.*\n/g, '')).to.equal('');
    const file = `${folder}/net.secret`;
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect(await readFile(file, 'utf8')).to.match(/^net1_[\w-]{43}$/);
    expect(String(await shell(MAKE_SECRET).catch((error: unknown) => error)), 'not twice').to.include(
      'EEXIST',
    );
    const peer = stage.make({ lan: true, secretFile: file, runtimeDir: folder });
    await peer.start();
  });

  it('listens on every interface unless one is chosen', () => {
    expect(resolve({ lan: true, secret })).to.include({ lan: true, host: '::' });
    expect(resolve({ lan: true, secret, host: '192.0.2.7' })).to.include({ host: '192.0.2.7' });
    expect(
      resolve({}, { APP_NET_LAN: 'true', APP_NET_SECRET: secret, APP_NET_HOST: '0.0.0.0' }).host,
    ).to.equal('0.0.0.0');
    expect(resolve({}, { APP_NET_LAN: '0' })).to.include({ lan: false, host: '127.0.0.1' });
  });

  it('refuses a host that contradicts it', () => {
    expect(() => resolve({ lan: true, secret, host: '127.0.0.1' })).to.throw(TypeError, 'other hosts');
    expect(() => resolve({ lan: true, secret, host: 'my-host' })).to.throw(TypeError, 'not an IP address');
    expect(insecure(() => resolve({ host: '192.0.2.7' })).message).to.include('lan: true');
    insecure(() => resolve({ secret }, { APP_NET_HOST: '0.0.0.0' }));
  });

  it('refuses a weak passphrase without printing it', () => {
    for (const [weak, why] of [
      ['short-secret14', 'fewer than 15 characters'],
      ['ababababababababababab', 'fewer than 6 different'],
      [PUBLIC_SECRET, 'known to everybody'],
    ] as const) {
      for (const lan of [true, false]) {
        const { message } = insecure(() => resolve({ lan, secret: weak }));
        expect(message).to.include(why).and.to.include(MAKE_SECRET).and.not.to.include(weak);
      }
    }
    expect(resolve({ lan: true, secret: 'correct horse battery' }).secret).to.be.a('function');
  });

  it('refuses a weak passphrase in a file', async () => {
    const folder = await stage.folder();
    await promisify(execFile)('sh', ['-c', 'umask 077; echo hunter2hunter2 > weak'], { cwd: folder });
    for (const lan of [true, false]) {
      const peer = stage.make({ lan, secretFile: `${folder}/weak`, runtimeDir: folder });
      const error = (await failure(peer.start())) as NetError;
      expect(error).to.be.instanceOf(NetError).with.property('code', 'INSECURE');
      expect(error.message).to.include(`${folder}/weak`).and.not.to.include('hunter2');
    }
  });

  it('can work without a secret only when the code says so and no option contradicts it', () => {
    expect(resolve({ lan: true, insecure: true }).secret!()).to.equal(PUBLIC_SECRET);
    expect(() => resolve({ insecure: true })).to.throw(TypeError, 'together with lan: true');
    expect(() => resolve({ lan: true, insecure: true, secret })).to.throw(
      TypeError,
      'leave out one of the two',
    );
    expect(() => resolve({ lan: true, insecure: true }, { APP_NET_SECRET: secret })).to.throw(TypeError);
    expect(() => resolve({ lan: true, insecure: true }, { APP_NET_SECRET_FILE: 'x' })).to.throw(TypeError);
    expect(() => resolve({ lan: true, insecure: 1 as never })).to.throw(TypeError, 'insecure');
    insecure(() => resolve({ lan: true }, { APP_NET_INSECURE: '1' }));
  });

  it('refuses half a certificate, and one that does not fit its key', async () => {
    expect(() => resolve({ lan: true, secret, tls: { key: 'x' } as never })).to.throw(TypeError, 'tls: give');
    const runtimeDir = await stage.folder();
    const peer = stage.make({ lan: true, secret, runtimeDir, tls: { key: 'x', cert: 'y' } });
    expect(await failure(peer.start()))
      .to.be.instanceOf(TypeError)
      .with.property('message')
      .that.includes('tls:');
  });
});
