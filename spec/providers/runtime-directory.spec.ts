import { execFile } from 'node:child_process';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import {
  defaultRuntimeDirectory,
  openRuntimeDirectory,
  readOrMakeSecret,
  readSecretFile,
} from '../../src/providers/host/runtime-directory.ts';
import { NetError } from '../../src/base/errors.ts';
import { needLinux, needRoot } from '../support/need.ts';
import { REPOSITORY } from '../support/processes.ts';

const MADE = /^net1_[\w-]{43}$/;
const SOURCE = new URL('../../src/providers/host/runtime-directory.ts', import.meta.url).href;

const modeOf = async (path: string): Promise<number> => (await lstat(path)).mode & 0o777;

/** The error that `work` rejects with. Fails if it does not reject. */
async function failure(work: Promise<unknown>): Promise<NetError> {
  return work.then(
    () => expect.fail('it was let in'),
    (error: unknown) => error as NetError,
  );
}

describe('the runtime directory', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  describe('by default', () => {
    it('is in the runtime directory of the user', async () => {
      expect(await defaultRuntimeDirectory({ XDG_RUNTIME_DIR: folder })).to.equal(join(folder, 'app-net'));
    });

    it('is in the temporary directory, named by the number of the user, when there is none', async () => {
      const fallback = join(tmpdir(), `app-net-${process.getuid!()}`);
      expect(await defaultRuntimeDirectory({})).to.equal(fallback);
      for (const XDG_RUNTIME_DIR of ['', join(folder, 'missing')]) {
        expect(await defaultRuntimeDirectory({ XDG_RUNTIME_DIR })).to.equal(fallback);
      }
    });

    it('is not inside a file, nor behind a symbolic link', async () => {
      await writeFile(join(folder, 'file'), '');
      await symlink(folder, join(folder, 'link'));
      for (const name of ['file', 'link']) {
        const chosen = await defaultRuntimeDirectory({ XDG_RUNTIME_DIR: join(folder, name) });
        expect(chosen).not.to.include(folder);
      }
    });

    it('is not in the directory of another user, for example after su', async function () {
      if (process.getuid!() === 0) await chown(folder, 12_345, 12_345);
      const ofAnother = process.getuid!() === 0 ? folder : '/';
      const chosen = await defaultRuntimeDirectory({ XDG_RUNTIME_DIR: ofAnother });
      expect(chosen).to.equal(join(tmpdir(), `app-net-${process.getuid!()}`));
    });
  });

  it('is made readable only by its owner, and so are the directories above it', async () => {
    const path = join(folder, 'a', 'b');
    await openRuntimeDirectory(path);
    expect(await modeOf(path)).to.equal(0o700);
    expect(await modeOf(join(folder, 'a'))).to.equal(0o700);
  });

  it('reports that it cannot be made, even where Node would try for ever', async function () {
    needLinux(this);
    const error = await failure(openRuntimeDirectory('/proc/app-net/here'));
    expect(error.message).to.include('cannot be used').and.to.include('APP_NET_RUNTIME_DIR');
  });

  it('is used as it is when it exists, by several processes at once', async () => {
    const path = join(folder, 'a');
    await Promise.all(Array.from({ length: 8 }, () => openRuntimeDirectory(path)));
    await writeFile(join(path, 'file'), 'kept');
    await openRuntimeDirectory(path);
    expect(await readFile(join(path, 'file'), 'utf8')).to.equal('kept');
  });

  for (const mode of [0o755, 0o750, 0o701, 0o770, 0o777]) {
    it(`is refused when others can look into it: ${mode.toString(8)}`, async () => {
      await chmod(folder, mode);
      const error = await failure(openRuntimeDirectory(folder));
      expect(error).to.be.instanceOf(NetError).with.property('code', 'INSECURE');
      expect(error.message).to.include(`chmod 700 ${folder}`);
      expect(await modeOf(folder), 'left as it was').to.equal(mode);
    });
  }

  it('is refused when it belongs to another user', async () => {
    if (process.getuid!() === 0) await chown(folder, 12_345, 12_345);
    const error = await failure(openRuntimeDirectory(process.getuid!() === 0 ? folder : '/'));
    expect(error).to.be.instanceOf(NetError).with.property('code', 'INSECURE');
    expect(error.message).to.include('belongs to another user');
  });

  it('is refused when it is a symbolic link, even to a suitable directory', async () => {
    await mkdir(join(folder, 'real'), { mode: 0o700 });
    await symlink(join(folder, 'real'), join(folder, 'link'));
    const error = await failure(openRuntimeDirectory(join(folder, 'link')));
    expect(error).to.be.instanceOf(NetError).with.property('code', 'INSECURE');
    expect(error.message).to.include('is not a directory');
  });

  it('is refused when it is a file', async () => {
    await writeFile(join(folder, 'file'), '');
    const error = await failure(openRuntimeDirectory(join(folder, 'file')));
    expect(error.message).to.include('is not a directory: remove it, or choose another');
  });
});

describe('the secret of a user', () => {
  let folder: string;
  const path = (): string => join(folder, 'secret');
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is made once, readable only by its owner, and then stays', async () => {
    const secret = await readOrMakeSecret(folder);
    expect(secret).to.match(MADE);
    expect(await modeOf(path())).to.equal(0o600);
    expect(await readOrMakeSecret(folder)).to.equal(secret);
    expect(await readdir(folder)).to.deep.equal(['secret']);
  });

  it('is the same for many that ask at once', async () => {
    const secrets = await Promise.all(Array.from({ length: 64 }, () => readOrMakeSecret(folder)));
    expect(new Set(secrets).size).to.equal(1);
    expect(secrets[0]).to.match(MADE);
    expect(await readdir(folder), 'no drafts are left').to.deep.equal(['secret']);
  });

  it('is the same for many processes that ask at once', async function () {
    this.timeout(120_000);
    const directory = JSON.stringify(folder);
    // They wait for each other, so that starting one takes no part in it.
    const script = `
      import { existsSync, writeFileSync } from 'node:fs';
      import { readOrMakeSecret } from '${SOURCE}';
      writeFileSync(${directory} + '/ready-' + process.pid, '');
      const { readdirSync } = await import('node:fs');
      while (readdirSync(${directory}).filter((name) => name.startsWith('ready-')).length < 8);
      process.stdout.write(await readOrMakeSecret(${directory}));`;
    const run = promisify(execFile);
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const made = await Promise.all(
      Array.from({ length: 8 }, () => run(process.execPath, args, { cwd: REPOSITORY })),
    );
    expect(new Set(made.map(({ stdout }) => stdout)).size).to.equal(1);
    expect(made[0]!.stdout).to.match(MADE);
    expect(await readSecretFile(path())).to.equal(made[0]!.stdout);
  });

  it('is not made anew when the present one cannot be trusted', async () => {
    await writeFile(path(), 'a secret of mine', { mode: 0o644 });
    await failure(readOrMakeSecret(folder));
    expect(await readFile(path(), 'utf8')).to.equal('a secret of mine');
  });

  it('is read without the white space around it', async () => {
    await writeFile(path(), '  correct horse battery \r\n', { mode: 0o600 });
    expect(await readSecretFile(path())).to.equal('correct horse battery');
  });

  for (const mode of [0o640, 0o604, 0o620, 0o666]) {
    it(`is refused when others can read or write it: ${mode.toString(8)}`, async () => {
      await writeFile(path(), 'correct horse battery');
      await chmod(path(), mode);
      const error = await failure(readSecretFile(path()));
      expect(error).to.be.instanceOf(NetError).with.property('code', 'INSECURE');
      expect(error.message).to.include(`chmod 600 ${path()}`).and.not.include('correct horse battery');
    });
  }

  it('is refused when it belongs to another user', async function () {
    needRoot(this);
    await writeFile(path(), 'correct horse battery', { mode: 0o600 });
    await chown(path(), 12_345, 12_345);
    const error = await failure(readSecretFile(path()));
    expect(error).to.be.instanceOf(NetError).with.property('code', 'INSECURE');
    expect(error.message).to.include(`chown 0 ${path()}`).and.not.include('correct horse battery');
  });

  it('is refused when it is empty', async () => {
    await writeFile(path(), ' \n', { mode: 0o600 });
    const error = await failure(readSecretFile(path()));
    expect(error).to.be.instanceOf(NetError).with.property('code', 'UNAUTHENTICATED');
  });

  it('is refused when it is shorter than the option allows', async () => {
    await writeFile(path(), 'short\n', { mode: 0o600 });
    await failure(readSecretFile(path()));
  });

  it('is reported missing by the name of the given file', async () => {
    const error = await failure(readSecretFile(path()));
    expect(error).to.have.property('code', 'ENOENT');
    expect(error.message).to.include(path());
    await failure(stat(path()));
  });
});
