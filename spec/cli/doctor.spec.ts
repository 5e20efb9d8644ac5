import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { expect } from 'chai';
import { WebSocketServer } from 'ws';

import { VARIABLES } from '../../src/cli/doctor/variables.ts';
import { run } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { REPOSITORY } from '../support/processes.ts';
import { Terminal } from '../support/terminal.ts';

interface Result {
  status: 'ok' | 'note' | 'problem';
  check: string;
  says: string;
  todo?: string;
}

describe('app-net doctor', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let folder: string;

  beforeEach(async () => {
    folder = await stage.folder();
  });

  afterEach(() => stage.clear());

  for (const flags of [[], ['--no-json']]) {
    it(`prints text in a pipe${flags.length > 0 ? ` with ${flags.join(' ')}` : ''}`, async () => {
      const { code, out, errors } = await run(['doctor', ...flags], { APP_NET_RUNTIME_DIR: folder });
      expect(code, errors).to.equal(0);
      expect(out).to.match(/^\S/).and.not.to.include('{"');
    });
  }

  const examine = async (
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ code: number | null; problems: Result[]; all: Result[] }> => {
    const { code, lines, errors } = await run(['doctor', '--json'], { APP_NET_RUNTIME_DIR: folder, ...env });
    // Warnings of its own peer would send the user to the doctor.
    expect(errors).not.to.include('AppNetWarning');
    const all = lines as Result[];
    return {
      code,
      all,
      problems: all.filter(({ status, check }) => status === 'problem' && check !== 'summary'),
    };
  };
  /** The only problem, by its name. */
  const theProblem = async (env: NodeJS.ProcessEnv = {}): Promise<Result> => {
    const { code, problems } = await examine(env);
    expect(problems, JSON.stringify(problems)).to.have.length(1);
    expect(code).to.equal(1);
    return problems[0]!;
  };
  /** Writes the announcement of a peer that listens on this port. */
  const announce = (id: string, port: number, more: object = {}): Promise<void> => {
    const addresses = [{ host: '127.0.0.1', port }];
    const text = JSON.stringify({ id, incarnation: 'one', addresses, pid: process.pid, ...more });
    return writeFile(join(folder, `${id}.peer.json`), text, { mode: 0o600 });
  };

  it('finds no problem on a healthy host', async () => {
    await stage.make({ runtimeDir: folder }).start();
    const { code, problems, all } = await examine();
    expect({ code, problems }).to.deep.equal({ code: 0, problems: [] });
    const checks = [
      'versions',
      'environment',
      'runtime directory',
      'secret',
      'port',
      'loopback',
      'clock',
      'peers',
    ];
    expect(all.map(({ check }) => check)).to.include.members(checks);
  });

  it('prints problems with advice on a terminal', async () => {
    await chmod(folder, 0o755);
    const terminal = new Terminal(['doctor'], { APP_NET_RUNTIME_DIR: folder });
    expect(await terminal.exited).to.equal(1);
    await terminal.shows(/✗ runtime directory +the runtime directory \S+ is open to other users/);
    await terminal.shows('1 problem');
    await terminal.kill();
  });

  it('reports a runtime directory that others can look into', async () => {
    await chmod(folder, 0o755);
    const { check, says } = await theProblem();
    expect(check).to.equal('runtime directory');
    expect(says).to.include(`chmod 700 ${folder}`);
  });

  it('reports a runtime directory that cannot be made', async () => {
    expect(await theProblem({ APP_NET_RUNTIME_DIR: '/dev/null/x' })).to.include({
      check: 'runtime directory',
    });
  });

  it('finds peers through seeds without a runtime directory, and reports no problem', async () => {
    const secret = 'a passphrase for two peers';
    const peer = await stage.make({ runtimeDir: folder, secret, id: 'seed' }).start();
    const [{ port }] = peer.actor.getSnapshot().context.opened.listener.addresses;
    const { code, problems, all } = await examine({
      APP_NET_RUNTIME_DIR: '/dev/null/x',
      APP_NET_SECRET: secret,
      APP_NET_PEERS: `127.0.0.1:${port}`,
    });
    expect({ code, problems }).to.deep.equal({ code: 0, problems: [] });
    expect(all.find(({ check }) => check === 'runtime directory')).to.include({ status: 'note' });
    expect(all.find(({ check }) => check === 'peers')!.says).to.include('1 peer');
  });

  it('reports a peer with another secret', async () => {
    const secret = 'this is another secret';
    await stage.make({ runtimeDir: folder, secret, id: 'stranger' }).start();
    const found = await eventuallyProblem();
    expect(found.check).to.equal('wrong secret');
    expect(found.says).to.include(`process ${process.pid} on this host has another secret`);
    expect(found.todo).to.include('APP_NET_SECRET_FILE');
  });

  it('reports a peer with another secret that its file does not tell', async () => {
    const elsewhere = { runtimeDir: await stage.folder(), secret: 'this is another secret' };
    const peer = await stage.make({ ...elsewhere, id: 'other' }).start();
    const [{ port }] = peer.actor.getSnapshot().context.opened.listener.addresses;
    await announce('other', port);
    const { check, says } = await theProblem();
    expect(check).to.equal('wrong secret');
    expect(says).to.include(`127.0.0.1:${port} has another secret`);
  });

  /** Announcing takes a moment. */
  async function eventuallyProblem(): Promise<Result> {
    let found: Result | undefined;
    await eventually(async () => {
      found = await theProblem();
    }, 20_000);
    return found!;
  }

  it('reports another version: a peer without a common protocol version', async () => {
    // It ends the handshake without a word, as every version does when there is no common one.
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'app-net.v1' });
    server.on('connection', (socket) => socket.on('message', () => socket.close(4401)));
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await announce('newer', port);
    try {
      const { check, says, todo } = await theProblem();
      expect(check).to.equal('another version');
      expect(says).to.include(`127.0.0.1:${port} speaks another version of the protocol`);
      expect(todo).to.include('install the same version');
    } finally {
      server.close();
    }
  });

  it('reports another version: a peer with another subprotocol, or another file format', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => false });
    await new Promise((resolve) => server.once('listening', resolve));
    await announce('newest', (server.address() as AddressInfo).port);
    await writeFile(join(folder, 'older.peer.json'), '{"id":"older","address":"127.0.0.1"}');
    try {
      const { problems } = await examine();
      expect(problems.map(({ check }) => check)).to.deep.equal(['another version', 'another version']);
      expect(problems[0]!.says).to.match(/^this version cannot read the announcement .*older\.peer\.json$/);
    } finally {
      server.close();
    }
  });

  it('reports a blocked port: one that another program uses', async () => {
    const occupied = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await new Promise((resolve) => occupied.once('listening', resolve));
    const { port } = occupied.address() as AddressInfo;
    try {
      const { check, says, todo } = await theProblem({ APP_NET_PORT: String(port) });
      expect({ check, says }).to.deep.equal({ check: 'port', says: `${port} is taken by another program` });
      expect(todo).to.include('APP_NET_PORT_RANGE');
      const range = await examine({ APP_NET_PORT_RANGE: `${port}-${port + 20}` });
      expect(range.problems).to.deep.equal([]);
      await announce('owner', port);
      const { problems } = await examine({ APP_NET_PORT: String(port) });
      expect(problems[0]!.says).to.equal(`${port} is taken by the peer in process ${process.pid}`);
    } finally {
      occupied.close();
    }
  });

  it('reports a blocked port: one where an announced peer does not answer', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await announce('deaf', port);
    const { check, says } = await theProblem();
    expect(check).to.equal('blocked port');
    expect(says).to.include(
      `process ${process.pid} at 127.0.0.1:${port} refused the connection: nothing listens there`,
    );
    // The same is no problem if the process of the announcement is gone.
    await announce('deaf', port, { pid: 2 ** 22 + 1 });
    const { problems, all } = await examine();
    expect(problems).to.deep.equal([]);
    expect(all.find(({ check: name }) => name === 'old announcement')).to.include({ status: 'note' });
  });

  it('reports a wrong peer: another one answers at an announced address', async () => {
    const there = await stage.make({ runtimeDir: folder, id: 'there' }).start();
    const [{ port }] = there.actor.getSnapshot().context.opened.listener.addresses;
    await announce('elsewhere', port);
    const { check, says, todo } = await eventuallyProblem();
    expect(check).to.equal('wrong peer');
    expect(says)
      .to.include(`127.0.0.1:${port} did not answer, another peer did`)
      .and.to.include('there answered instead of elsewhere');
    expect(todo).to.include('its own port');
    // The same is no problem if the process of the announcement is gone.
    await announce('elsewhere', port, { pid: 2 ** 22 + 1 });
    expect((await examine()).problems).to.deep.equal([]);
  });

  it('reports a peer that accepts connections and does not answer', async () => {
    const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await announce('frozen', port);
    try {
      const { check, says } = await theProblem();
      expect(check).to.equal('hanging peer');
      expect(says).to.include(`127.0.0.1:${port} accepts connections but does not answer`);
    } finally {
      server.close();
    }
  });

  it('names the group when all peers are in another one', async () => {
    await stage.make({ runtimeDir: folder, group: 'gpu' }).start();
    const found = await eventuallyProblem();
    expect(found).to.include({ check: 'wrong group' });
    expect(found.says).to.include('there is 1 peer, but none in the group "main"; found in "gpu"');
    await eventually(async () =>
      expect((await examine({ APP_NET_GROUP: 'gpu' })).problems).to.deep.equal([]),
    );
  });

  it('reports peers that use the other default directory', async () => {
    const [login, temporary] = [await stage.folder(), await stage.folder()];
    const uid = process.getuid!();
    const places = { with: join(login, 'app-net'), without: join(temporary, `app-net-${uid}`) };
    await stage.make({ runtimeDir: places.with, name: 'in-a-shell' }).start();
    await stage.make({ runtimeDir: places.without, name: 'in-a-service' }).start();
    const env = { APP_NET_RUNTIME_DIR: '', TMPDIR: temporary };
    for (const [XDG_RUNTIME_DIR, own, other] of [
      [login, places.with, places.without],
      ['', places.without, undefined],
    ] as const) {
      const { problems, all } = await examine({ ...env, XDG_RUNTIME_DIR });
      expect(all.find(({ check }) => check === 'peers')?.says).to.match(/^1 peer in the group "main"/);
      const found = problems.filter(({ check }) => check === 'other directory');
      if (other === undefined) continue;
      expect(found).to.have.length(1);
      expect(found[0]!.says)
        .to.include(`1 peer (process ${process.pid}) in ${other}`)
        .and.to.include(`look in ${own}`);
    }
    // One that was chosen is mostly meant to be apart.
    const chosen = await examine({ TMPDIR: temporary });
    expect(chosen.all.find(({ check }) => check === 'other directory')).to.include({ status: 'note' });
  });

  it('reports invalid environment variables, and goes on', async () => {
    const { code, problems, all } = await examine({ APP_NET_PORT: 'http' });
    expect(code).to.equal(1);
    expect(problems.map(({ check }) => check)).to.deep.equal(['environment']);
    expect(problems[0]!.says).to.include('APP_NET_PORT');
    expect(all.some(({ check }) => check === 'loopback')).to.equal(true);
  });

  it('lists the variables that are set, without the secret', async () => {
    const { all } = await examine({ APP_NET_GROUP: 'gpu', APP_NET_SECRET: 'a long enough passphrase' });
    const { says } = all.find(({ check }) => check === 'environment')!;
    expect(says).to.include('APP_NET_GROUP=gpu').and.to.include('APP_NET_SECRET=…');
    expect(says).not.to.include('passphrase');
  });

  it('points out variables that nothing reads, and knows every one that docs/options.md has', async () => {
    const { code, all } = await examine({ APP_NET_LOG_LEVEL: 'info' });
    expect(code).to.equal(0);
    expect(all.find(({ says }) => says.includes('nothing reads'))).to.include({
      ...{ status: 'note', check: 'environment', says: 'nothing reads APP_NET_LOG_LEVEL' },
      todo: 'write APP_NET_LOG',
    });
    const page = await readFile(join(REPOSITORY, 'docs/options.md'), 'utf8');
    const names = new Set(page.match(/APP_NET_[A-Z_]+[A-Z]/g));
    expect([...names].toSorted()).to.deep.equal(VARIABLES.toSorted());
  });

  it('reports a secret that others can read, and a missing one, and shows neither', async () => {
    const file = join(folder, 'mine');
    await mkdir(folder, { recursive: true });
    await writeFile(file, 'a very secret sentence\n', { mode: 0o644 });
    await chmod(file, 0o644);
    const open = await theProblem({ APP_NET_SECRET_FILE: file });
    expect(open.check).to.equal('secret');
    expect(open.says).to.include(`chmod 600 ${file}`);
    const missing = await theProblem({ APP_NET_SECRET_FILE: `${file}-not` });
    expect(missing.todo).to.include('app-net secret');
    const { all } = await examine({ APP_NET_SECRET: 'a very secret sentence' });
    expect(JSON.stringify(all)).to.include('APP_NET_SECRET=…');
    expect(JSON.stringify(all)).not.to.include('very secret');
  });
});
