import { execFileSync } from 'node:child_process';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { run } from '../support/command.ts';
import type { Ran } from '../support/command.ts';
import { Stage } from '../support/peers.ts';

describe('app-net secret', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await stage.folder();
    file = join(folder, 'app-net/secret');
  });

  afterEach(() => stage.clear());

  const secret = (args: string[] = [], input = ''): Promise<Ran> =>
    run(['secret', ...args], { XDG_CONFIG_HOME: folder, APP_NET_SECRET_FILE: '' }, input);

  it('makes a secret once, readable only by its owner, and does not print it', async () => {
    const { code, out, errors } = await secret();
    expect({ code, out }).to.deep.equal({ code: 0, out: `APP_NET_SECRET_FILE=${file}\n` });
    const text = (await readFile(file, 'utf8')).trim();
    expect(text).to.match(/^net1_[\w-]{43}$/);
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect((await stat(join(folder, 'app-net'))).mode & 0o777).to.equal(0o700);
    const again = await secret(['--json']);
    expect(again.lines).to.deep.equal([{ file, made: false }]);
    expect(await readFile(file, 'utf8')).to.equal(`${text}\n`);
    expect(errors + again.errors + out + again.out).not.to.include(text);
    expect(await readdir(join(folder, 'app-net'))).to.deep.equal(['secret']);
  });

  it('prints the secret on request, and stores it on another host', async () => {
    await secret();
    const { out } = await secret(['--show']);
    expect(out).to.equal(await readFile(file, 'utf8'));
    const other = join(folder, 'other host/secret');
    const taken = await secret(['--stdin', '--file', other], out);
    expect(taken).to.include({ code: 0, out: `APP_NET_SECRET_FILE='${other}'\n` });
    expect(taken.errors).to.include(`npx app-net secret --file '${other}' --show | ssh <host> `);
    expect(await readFile(other, 'utf8')).to.equal(out);
    expect(await secret(['--stdin', '--file', other], out)).to.include({ code: 0 });
  });

  it('prints a line that stores it on another host, where there is nothing yet', async () => {
    for (const [args, env, place] of [
      [[], { XDG_CONFIG_HOME: join(folder, "alice's") }, "alice's/app-net/secret"],
      [[], { HOME: join(folder, 'bob'), XDG_CONFIG_HOME: '' }, 'bob/.config/app-net/secret'],
      [['--file', join(folder, 'one place/secret')], {}, 'one place/secret'],
    ] as const) {
      const { errors } = await secret([...args]);
      const [, there] = /from any folder: npx app-net .* --show \| ssh <host> (.*)$/m.exec(errors)!;
      const { out } = await secret([...args, '--show']);
      await rm(join(folder, 'one place'), { recursive: true, force: true });
      // What `ssh` does with its last word: the shell of the other side runs it, in some folder.
      const command = execFileSync('sh', ['-c', `printf %s ${there}`], { encoding: 'utf8' });
      const options = { cwd: '/', env: { ...process.env, ...env }, input: out } as const;
      execFileSync('sh', ['-c', command], options);
      expect(await readFile(join(folder, place), 'utf8')).to.equal(out);
      expect((await stat(join(folder, place))).mode & 0o777).to.equal(0o600);
      // It replaces nothing.
      expect(() => execFileSync('sh', ['-c', command], { ...options, stdio: 'pipe' })).to.throw();
    }
  });

  it('replaces a secret only on request', async () => {
    await secret();
    const { out: first } = await secret(['--show']);
    const refused = await secret(['--stdin'], 'another secret than this');
    expect(refused.code).to.equal(2);
    expect(refused.errors).to.include('holds another secret').and.to.include('--new');
    expect((await secret(['--show'])).out).to.equal(first);
    await secret(['--new']);
    const { out: second } = await secret(['--show']);
    expect(second)
      .to.match(/^net1_/)
      .and.not.equal(first);
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
  });

  it('refuses a missing secret, and one that others can read', async () => {
    expect((await secret(['--stdin'], 'short')).errors).to.include('holds no usable secret');
    expect((await secret(['--show'])).errors)
      .to.include('there is no secret in')
      .and.to.include('make one with app-net secret');
    await writeFile(join(folder, 'open'), 'long enough to be one\n');
    await chmod(join(folder, 'open'), 0o644);
    const open = await secret(['--show', '--file', join(folder, 'open')]);
    expect(open.code).to.equal(2);
    expect(open.errors).to.include('chmod 600');
    expect(open.out).to.equal('');
  });
});
