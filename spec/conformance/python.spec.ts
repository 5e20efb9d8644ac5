import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { eventually } from '../support/eventually.ts';
import { need } from '../support/need.ts';
import { REPOSITORY } from '../support/processes.ts';
import { needPython } from '../support/python.ts';
import { Stage } from '../support/peers.ts';

const run = promisify(execFile);
const FOLDER = join(REPOSITORY, 'clients/python');

describe('the Python client', function () {
  this.timeout(120_000); // a loaded machine takes its time for fifty tests of peers that meet
  const stage = new Stage();

  afterEach(() => stage.clear());

  it('passes its own tests', async function () {
    const python = await needPython(this);
    const { stderr } = await run(python, ['-B', '-m', 'unittest'], { cwd: FOLDER });
    const [, count] = /Ran (\d+) tests/.exec(stderr)!;
    expect(Number(count)).to.be.above(50);
  });

  it('is typed', async function () {
    const python = await needPython(this);
    const missing = await run('mypy', ['--version']).then(
      () => undefined,
      (error: unknown) => error,
    );
    need(this, missing === undefined, 'mypy: apt-get install mypy', missing);
    const { stdout } = await run(
      'mypy',
      ['--python-executable', python, '--cache-dir', await stage.folder()],
      {
        cwd: FOLDER,
      },
    );
    expect(stdout).to.include('Success');
  });

  it('hides no other peer from a leaf that meets it first', async function () {
    const python = await needPython(this);
    const folder = await stage.folder();
    const program = 'import asyncio\nfrom app_net import Peer\nasyncio.run(Peer(name="snake").serve())\n';
    const env = { ...process.env, APP_NET_RUNTIME_DIR: folder, PYTHONPATH: FOLDER };
    const child = spawn(python, ['-B', '-c', program], { env, stdio: 'ignore' });
    const over = once(child, 'exit');
    try {
      const leaf = stage.make({ runtimeDir: folder, announce: false });
      await leaf.start();
      await eventually(() => leaf.peers.size === 1);
      const peers = ['one', 'two', 'three'].map((name) => stage.make({ runtimeDir: folder, name }));
      await Promise.all(peers.map((peer) => peer.start()));
      await eventually(() => leaf.peers.size === 4);
      expect([...leaf.peers].map(({ name }) => name)).to.have.members(['snake', 'one', 'two', 'three']);
    } finally {
      child.kill();
      await over;
    }
  });

  it('calls functions in the example and prints what they return and throw', async function () {
    const python = await needPython(this);
    const folder = await stage.folder();
    const peer = stage.make({ runtimeDir: folder });
    peer.connect('multiply', (a: number, b: number) => a * b);
    peer.connect('resize', (image: string, options: object) => ({ image, options }));
    peer.connect('fail', () => {
      throw new RangeError('too far');
    });
    await peer.start();
    const client = join(REPOSITORY, 'examples/other-languages/client.py');
    const call = async (...args: string[]): Promise<object> => {
      const env = { ...process.env, APP_NET_RUNTIME_DIR: folder };
      const done = run(python, ['-B', client, ...args], { env });
      const { stdout } = await done.catch((error: { stdout: string }) => error);
      return JSON.parse(stdout) as object;
    };
    const { pid } = process;
    expect(await call('multiply', '6', '7')).to.deep.equal({ pid, value: 42 });
    const resized = { image: 'ü', options: { width: 200 } };
    expect(await call('resize', '"ü"', '--kwargs', '{"width":200}')).to.deep.equal({ pid, value: resized });
    expect(await call('fail')).to.deep.equal({ pid, error: { name: 'RangeError', message: 'too far' } });
    expect(await call('nothing')).to.have.nested.property('error.code', 'NO_SUCH_TAG');
  });
});
