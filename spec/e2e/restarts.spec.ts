import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import type { NetError, Peer } from '../../src/index.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { COMMAND } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { needNode24 } from '../support/node-24.ts';
import { Stage } from '../support/peers.ts';
import { AS_PID_1, childOf, needPidNamespace } from '../support/pid-namespace.ts';
import { LIBRARY, Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

const GUIDE = new URL('../../docs/guides/restart-workers.md', import.meta.url);
const WORKERS = 3;
const RESTARTS = 10;
const REQUESTS = 1_000;

/** The blocks of the guide that begin with a file name, as printed. */
async function filesOfGuide(): Promise<[name: string, text: string][]> {
  const text = await readFile(GUIDE, 'utf8');
  return [...text.matchAll(/^```js\n\/\/ (\S+)\n([^]*?)^```$/gm)].map(([, name, code]) => [name!, code!]);
}

describe('the guide "Restart workers without failed calls"', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  const containers = new Processes(AS_PID_1);
  const secret = makeSecret();
  /** The caller's. */
  const env = { APP_NET_SECRET: secret };
  let folder: string;
  let caller: Peer;
  let load: Load;

  beforeEach(async () => {
    folder = await stage.folder();
    await writeFile(join(folder, 'package.json'), '{"name":"my-app","type":"module"}');
    for (const [name, code] of await filesOfGuide())
      await writeFile(join(folder, name), code.replaceAll("'app-net'", `'${LIBRARY}'`));
    caller = await stage.make({ name: 'caller', runtimeDir: folder, secret }).start();
    load = new Load(caller);
  });

  afterEach(async () => {
    await load.end();
    await processes.clear();
    await containers.clear();
    await stage.clear();
  });

  /** Replaces the oldest worker, again and again, while calls go out. */
  async function roll(
    start: () => TestProcess,
    end: (worker: TestProcess) => Promise<unknown>,
  ): Promise<void> {
    const workers = Array.from({ length: WORKERS }, start);
    await caller.peers.ready('img.resize', { min: WORKERS });
    load.begin();
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      const oldest = workers.shift()!;
      await end(oldest);
      expect(await oldest.exited, oldest.errors).to.equal(0);
      expect(oldest.errors).to.equal('');
      workers.push(start());
      await caller.peers.ready('img.resize', { min: WORKERS });
    }
    await load.proves();
  }

  it('loses no call of ten restarts with serve({ stopOn })', async () => {
    await roll(
      () => processes.run(folder, ['worker.js'], env),
      (worker) => worker.kill('SIGTERM'),
    );
  });

  it('loses no call of ten restarts with serve({ stopOn }) on Node 24', async function () {
    const node = await needNode24(this);
    await roll(
      () => processes.run(folder, ['worker.js'], env, node),
      (worker) => worker.kill('SIGTERM'),
    );
  });

  it('loses no call of ten restarts with app-net serve', async () => {
    await roll(
      () => processes.run(folder, [COMMAND, 'serve', 'functions.js'], env),
      (worker) => worker.kill('SIGTERM'),
    );
  });

  it('loses no call of twelve restarts with node:cluster', async () => {
    const primary = processes.run(folder, ['cluster.js'], env);
    await caller.peers.ready('img.resize', { min: WORKERS });
    load.begin();
    for (let round = 1; round <= 4; round += 1) {
      primary.child.kill('SIGHUP');
      await primary.line(() => primary.lines.length === round, 30_000);
      await caller.peers.ready('img.resize', { min: WORKERS });
    }
    await load.proves();
    primary.child.kill('SIGTERM');
    await eventually(() => expect(caller.peers.list()).to.deep.equal([]));
    expect(await primary.exited, primary.errors).to.equal(0);
    expect(primary.errors).to.equal('');
  });

  it('loses no call when a second restart is asked for during the first', async () => {
    const worker = join(folder, 'worker.js');
    // So long that a worker still drains when the second restart could reach it.
    await writeFile(worker, (await readFile(worker, 'utf8')).replace('sleep(20)', 'sleep(4_000)'));
    const primary = processes.run(folder, ['cluster.js'], env);
    const workers = await caller.peers.ready('img.resize', { min: WORKERS });
    const calls = Promise.all(workers.map((each) => each.call('img.resize', [400])));
    const drains = new Promise((resolve) => caller.peers.once('leave', resolve));
    primary.child.kill('SIGHUP');
    await drains;
    primary.child.kill('SIGHUP');
    expect(await calls).to.deep.equal(workers.map(() => 200));
    await primary.line(() => primary.lines.length === 2, 30_000);
    primary.child.kill('SIGTERM');
    expect(await primary.exited, primary.errors).to.equal(0);
  });

  it('loses no call of ten restarts of workers that are process 1 of a container', async function () {
    await needPidNamespace(this);
    const { port } = caller.actor.getSnapshot().context.opened.listener.addresses[0];
    let count = 0;
    await roll(
      () => {
        // Containers share no files.
        const own = join(folder, `container-${(count += 1)}`);
        const alone = { APP_NET_RUNTIME_DIR: own, APP_NET_PEERS: `127.0.0.1:${port}`, ...env };
        return containers.run(folder, ['worker.js'], alone);
      },
      async ({ pid }) => process.kill(await childOf(pid), 'SIGTERM'),
    );
  });

  it('calls a worker from caller.js, whichever of the two is started first', async () => {
    const first = processes.run(folder, ['caller.js'], env);
    processes.run(folder, ['worker.js'], env);
    await first.line((line) => String(line) === '200');
    const second = processes.run(folder, ['caller.js'], env);
    await second.line((line) => String(line) === '200');
    expect([await first.exited, await second.exited]).to.deep.equal([0, 0]);
  });
});

/** Calls, one after the other in each of several loops. */
class Load {
  readonly failures: NetError[] = [];
  answered = 0;
  readonly #caller: Peer;
  #loops: Promise<unknown>[] = [];
  #over = false;

  constructor(caller: Peer) {
    this.#caller = caller;
  }

  begin(): void {
    this.#loops = Array.from({ length: 8 }, () => this.#loop());
  }

  async proves(): Promise<void> {
    const told = (): string[] => this.failures.map(({ code, message }) => `${code}: ${message}`);
    await eventually(() => told().length > 0 || expect(this.answered).to.be.at.least(REQUESTS), 60_000);
    await this.end();
    expect(told()).to.deep.equal([]);
  }

  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#loops);
  }

  async #loop(): Promise<void> {
    const resize = this.#caller.remote<(width: number) => number>('img.resize');
    while (!this.#over) {
      try {
        expect(await resize.any()(400)).to.equal(200);
        this.answered += 1;
      } catch (error) {
        this.failures.push(error as NetError);
        if (this.failures.length > 100) return;
      }
    }
  }
}
