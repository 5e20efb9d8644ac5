import { execFileSync } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdtemp,
  readFile,
  readdir,
  rm,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { readOwnSecret, readSecretFile } from '../../src/providers/host/runtime-directory.ts';
import { SharedSecret } from '../../src/providers/host/shared-secret.ts';
import { createPeer } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { needUnix } from '../support/need.ts';
import { meet, Stage } from '../support/peers.ts';

describe('the secret in the runtime directory', () => {
  let folder: string;
  let others: number[];
  const path = (): string => join(folder, 'secret');
  const make = (): SharedSecret => new SharedSecret(folder, (peers) => others.push(peers));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
    others = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function announce(fields: object): Promise<void> {
    const whole = {
      id: 'other',
      incarnation: 'i',
      addresses: [{ host: '127.0.0.1', port: 9 }],
      pid: process.pid,
    };
    await writeFile(join(folder, 'other.peer.json'), JSON.stringify({ ...whole, ...fields }));
  }

  it('is restored by a peer that has it, readable only by its owner', async () => {
    const shared = make();
    const secret = await shared.get();
    expect(await shared.keep()).to.equal(undefined);
    await unlink(path());
    expect(await shared.keep()).to.equal(undefined);
    expect((await readFile(path(), 'utf8')).trim()).to.equal(secret);
    expect((await lstat(path())).mode & 0o777).to.equal(0o600);
    expect(await readdir(folder)).to.deep.equal(['secret']);
  });

  it('is restored as one by many peers at once', async () => {
    const all = Array.from({ length: 8 }, make);
    await Promise.all(all.map((each) => each.get()));
    await unlink(path());
    expect(await Promise.all(all.map((each) => each.keep()))).to.deep.equal(Array(8).fill(undefined));
    expect(await readdir(folder)).to.deep.equal(['secret']);
  });

  it('is not restored by a peer with another secret', async () => {
    expect(await make().keep()).to.equal(undefined);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('is left alone after it was replaced, and reported as another one', async () => {
    const shared = make();
    await shared.get();
    await unlink(path());
    await writeFile(path(), 'another secret than this', { mode: 0o600 });
    const fault = await shared.keep();
    expect(fault?.message).to.include('restart this peer').and.to.include(folder);
    expect(await shared.keep(), 'nothing has changed').to.equal(fault);
    expect(await readFile(path(), 'utf8')).to.equal('another secret than this');
  });

  it('is reported while others can read it', async function () {
    needUnix(this);
    const shared = make();
    await shared.get();
    await chmod(path(), 0o644);
    expect((await shared.keep())?.message).to.include('chmod 600');
    await chmod(path(), 0o600);
    expect(await shared.keep()).to.equal(undefined);
  });

  it('is awaited while an announced peer could restore it', async () => {
    const running = make();
    const secret = await running.get();
    await announce({ world: 'w' });
    await unlink(path());
    const starting = make().get();
    await running.keep();
    expect(await starting).to.equal(secret);
    expect(others).to.deep.equal([]);
  });

  it('is made anew when no peer restores it, and the split is reported', async () => {
    await announce({ world: 'w' });
    expect(await make().get()).to.match(/^net1_/);
    expect(others).to.deep.equal([1]);
  });

  it('does not split running peers from new ones when only it is removed', async () => {
    const stage = new Stage();
    const runtimeDir = await stage.folder();
    const old = stage.make({ runtimeDir });
    await old.start();
    const before = await readFile(join(runtimeDir, 'secret'), 'utf8');
    await unlink(join(runtimeDir, 'secret'));
    const young = stage.make({ runtimeDir });
    await young.start();
    await meet(young, old.id);
    await eventually(async () => (await readFile(join(runtimeDir, 'secret'), 'utf8')) === before);
    await stage.clear();
  });

  it('is not read through a symbolic link, unless the user names that file', async () => {
    await writeFile(join(folder, 'real'), 'correct horse battery', { mode: 0o600 });
    await symlink('real', path());
    expect(await readSecretFile(path())).to.equal('correct horse battery');
    const error = await readOwnSecret(folder).catch((reason: Error) => reason);
    expect(error).to.be.instanceOf(Error).with.property('message').that.includes(path());
  });

  describe('or another file', () => {
    const failure = (): Promise<Error> =>
      readSecretFile(path()).then(
        () => expect.fail('it was read'),
        (error: Error) => error,
      );

    it('that does not exist is answered with the command that makes it', async () => {
      const text = `the secret file ${path()} does not exist: make it with npx app-net secret --file ${path()}`;
      expect((await failure()).message).to.equal(`${text}, or copy it from another host`);
    });

    it('is not read when it is huge', async () => {
      await writeFile(path(), '', { mode: 0o600 });
      await truncate(path(), 2 ** 40);
      const before = process.memoryUsage().rss;
      expect((await failure()).message).to.equal(`the secret file ${path()} is larger than 4096 bytes`);
      expect(process.memoryUsage().rss - before).to.be.lessThan(50 * 1024 * 1024);
    });

    it('delays nobody when it is a pipe, a device, a directory or a loop', async function () {
      needUnix(this);
      execFileSync('mkfifo', ['-m', '600', path()]);
      expect((await failure()).message).to.include('is not a regular file');
      await unlink(path());
      await symlink('/dev/zero', path());
      expect((await failure()).message).to.match(/not a regular file|other users/);
      await unlink(path());
      await symlink(folder, path());
      expect((await failure()).message).to.match(/not a regular file|other users/);
      await unlink(path());
      await symlink('secret', path());
      expect((await failure()).message).to.include('ELOOP');
    });
  });
});

describe('a peer whose runtime directory cannot be used', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());
  const secret = 'net1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';

  for (const where of ['is a file', 'cannot be made']) {
    it(`because it ${where} does not start without another way to find peers, and tells what to do`, async () => {
      const folder = await stage.folder();
      const runtimeDir = where === 'is a file' ? join(folder, 'file') : join(folder, 'file', 'below');
      await writeFile(join(folder, 'file'), '');
      const error = await createPeer({ runtimeDir, secret })
        .start()
        .then(
          () => expect.fail('it started'),
          (reason: Error) => reason,
        );
      expect(error.message)
        .to.include(runtimeDir)
        .and.to.include('choose another directory with APP_NET_RUNTIME_DIR');
    });
  }

  it('starts with a secret and seeds, reports the directory once, and uses it when it can', async () => {
    const folder = await stage.folder();
    const runtimeDir = join(folder, 'file');
    await writeFile(runtimeDir, '');
    const lines: string[] = [];
    const warn = (line: string): unknown => lines.push(line);
    const logger = { debug() {}, info() {}, warn, error() {} };
    const peer = stage.make({ runtimeDir, secret, seeds: ['127.0.0.1:9'], logger });
    await peer.start();
    await eventually(() =>
      expect(lines.join('\n')).to.include('cannot find peers through host').and.to.include(runtimeDir),
    );
    await unlink(runtimeDir);
    await eventually(async () => expect(await readdir(runtimeDir)).to.have.length(1));
    expect(lines.filter((line) => line.includes('through host'))).to.have.length(1);
  });

  it('finds others through it without announcing itself', async () => {
    const runtimeDir = await stage.folder();
    const other = stage.make({ runtimeDir, secret });
    await other.start();
    const leaf = stage.make({ runtimeDir, secret, announce: false });
    await leaf.start();
    await meet(leaf, other.id);
  });
});
