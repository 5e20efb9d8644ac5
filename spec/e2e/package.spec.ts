import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { Stage } from '../support/peers.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { Processes, REPOSITORY } from '../support/processes.ts';

const run = promisify(execFile);

/** The steps of a user with the published package, in a folder of their own. */
describe('the package, installed from its tarball', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let app: string;

  before(async () => {
    app = await stage.folder();
    const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' };
    // Built already; the scripts would build it again.
    const packing = ['pack', '--ignore-scripts', '--silent', '--pack-destination', app];
    const { stdout } = await run('npm', packing, { cwd: REPOSITORY, env });
    const manifest = {
      name: 'my-app',
      type: 'module',
      dependencies: { 'app-net': `file:./${stdout.trim()}` },
    };
    await writeFile(join(app, 'package.json'), JSON.stringify(manifest));
    await run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefer-offline'], {
      cwd: app,
      env,
    });
  });

  afterEach(() => processes.clear());
  after(() => stage.clear());

  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(join(app, file, '..'), { recursive: true });
    await writeFile(join(app, file), text);
  };

  it('depends on every package that its code or its types import, and on no other', async () => {
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(
      await readFile(join(REPOSITORY, 'package.json'), 'utf8'),
    ) as Record<string, Record<string, string>>;
    const imported = new Set<string>();
    for (const file of await readdir(join(REPOSITORY, 'dist'), { recursive: true })) {
      if (!/\.(js|d\.ts)$/.test(file)) continue;
      const code = await readFile(join(REPOSITORY, 'dist', file), 'utf8');
      const imports =
        /(?:^(?:import|export|}).* from |\bimport\()['"]((?:@[\w-]+\/)?[a-z][\w.-]*)(?:\/[\w./-]*)?['"]\)?;/gm;
      for (const [, name] of code.matchAll(imports)) {
        imported.add(name!);
      }
    }
    imported.delete('app-net');
    // Optional ones that only some doors need, and that are not always loaded by a plain import.
    for (const name of Object.keys(peerDependencies)) imported.delete(name);
    expect([...imported].toSorted()).to.deep.equal(Object.keys(dependencies).toSorted());
  });

  it('works in plain JavaScript: two processes call each other', async () => {
    await write(
      'math.js',
      `
      import { connect } from 'app-net';
      export const multiplyValues = connect(function multiplyValues(a, b) { return a * b; });
    `,
    );
    await write(
      'app.js',
      `
      import { getPeers, serve } from 'app-net';
      import { multiplyValues } from './math.js';
      console.log(multiplyValues.tag);
      for (const peer of await getPeers()) {
        console.log(JSON.stringify({ product: await multiplyValues.on(peer)(5, 10), pid: peer.pid }));
      }
      await serve();
    `,
    );
    const [one, two] = [processes.run(app, ['app.js']), processes.run(app, ['app.js'])];
    const product = (line: { product?: number }): boolean => line.product !== undefined;
    expect(await one.line(product)).to.deep.equal({ product: 50, pid: two.pid });
    expect(await two.line(product)).to.deep.equal({ product: 50, pid: one.pid });
    // The tag of docs and protocol: base64url of my-app/math.multiplyValues.
    expect(one.lines[0]).to.equal('bXktYXBwL21hdGgubXVsdGlwbHlWYWx1ZXM');
  });

  it('contains the command line, which finds them', async () => {
    await write(
      'served.js',
      "import { connect } from 'app-net'; export const twice = connect(function twice(x) { return 2 * x; });",
    );
    const command = join(app, 'node_modules/.bin/app-net');
    const served = processes.run(app, [command, 'serve', 'served.js', '--name', 'served']);
    await served.line((line) => String(line).includes('served serves 1 function in the group main'));
    const called = processes.run(app, [command, 'call', 'twice', '21']);
    expect(await called.exited, called.errors).to.equal(0);
    expect(called.lines).to.deep.equal(['42']);
  });

  it('works from CommonJS, where require can load it', async () => {
    const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
    const script = processes.run(app, [
      '-e',
      `const { connect } = ${major > 20 || minor >= 19 ? "require('app-net')" : "await import('app-net')"};
       console.log(connect(function f() {}).tag);`,
    ]);
    expect(await script.exited, script.errors).to.equal(0);
    expect(script.lines[0]).to.equal(Buffer.from('main.f').toString('base64url'));
  });

  it('says what to install for NATS, whether the environment or the code asks for it', async () => {
    const secret = makeSecret();
    const script = `
      import { createPeer } from 'app-net';
      import { natsNetwork } from 'app-net/nats';
      const network = process.argv[1] && natsNetwork({ servers: 'nats://127.0.0.1:4222' });
      await createPeer({ secret: '${secret}', ...(network && { network }) }).start();
    `;
    for (const args of [[], ['--', 'code']]) {
      const env = args.length > 0 ? {} : { APP_NET_NATS: 'nats://127.0.0.1:4222' };
      const started = processes.run(app, ['--input-type=module', '-e', script, ...args], env);
      expect(await started.exited).to.equal(1);
      expect(started.errors).to.include('npm install @nats-io/transport-node@^3.3.1');
    }
  });

  it('has types: right code compiles, wrong code does not', async () => {
    await write(
      'good.ts',
      `
      import { connect, createPeer, getPeers, remote } from 'app-net';
      import { MemoryNetwork } from 'app-net/testing';
      import { natsNetwork } from 'app-net/nats';
      export const add = connect(function add(a: number, b: number) { return a + b; });
      const [peer] = await getPeers({ group: '*' });
      const sum: number = await add.on(peer!, { deadline: 500 })(1, 2);
      const far = remote<typeof add>('math.add');
      const other: number = await far.on('an id')(1, sum);
      createPeer({ network: natsNetwork({ servers: ['nats://a'], tls: { caFile: 'ca.pem' } }) });
      await using own = createPeer({ network: new MemoryNetwork() });
      own.peers.on('leave', (left, why: 'stopped' | 'lost' | 'replaced' | 'unreachable') => [left.name, why, other]);
    `,
    );
    await write(
      'bad.ts',
      `
      import { connect, getPeers } from 'app-net';
      const add = connect(function add(a: number, b: number) { return a + b; });
      const [peer] = await getPeers();
      await add.on(peer!)(1, 'two');
    `,
    );
    const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
    const check = async (file: string): Promise<string> => {
      const options =
        '--noEmit --strict --module nodenext --target es2022 --lib es2023,esnext.disposable --types node'.split(
          ' ',
        );
      const types = ['--typeRoots', join(REPOSITORY, 'node_modules/@types')];
      const checked = run(process.execPath, [tsc, ...options, ...types, file], { cwd: app });
      return checked.then(
        () => '',
        ({ stdout }: { stdout: string }) => stdout,
      );
    };
    expect(await check('good.ts')).to.equal('');
    expect(await check('bad.ts')).to.match(/^bad\.ts\(5,30\): error TS2345/);
  });

  it('has types that compile with the oldest TypeScript that the README names, and with the newest', async () => {
    const readme = await readFile(join(REPOSITORY, 'README.md'), 'utf8');
    const [, oldest] = /TypeScript (\d+\.\d+) or newer/.exec(readme)!;
    await mkdir(join(app, 'old'));
    await writeFile(join(app, 'old/package.json'), '{}');
    const flags = ['--silent', '--no-audit', '--no-fund', '--prefer-offline'];
    await run('npm', ['install', ...flags, `typescript@${oldest}`], { cwd: join(app, 'old') });
    await write(
      'types.ts',
      `
      import { connect, createPeer, event, remote } from 'app-net';
      import { MemoryNetwork, SimulatedClock, stopAll } from 'app-net/testing';
      export const add = connect('add', (a: number, b: number) => a + b);
      const clock = new SimulatedClock();
      const peer = createPeer({ network: new MemoryNetwork(), clock, inspect: ({ type }) => type });
      clock.increment(100);
      const state: string = peer.actor.getSnapshot().value + peer.actor.system.get('discovery').getSnapshot().value;
      const far = remote<typeof add>('math.add');
      const sum: number = await far.any({ group: 'gpu' })(1, 2);
      for await (const { payload } of event<{ id: string }>('done').stream({ buffer: 5 })) payload.id.slice(sum);
      console.log(state);
      await stopAll();
    `,
    );
    const options = '--noEmit --strict --module nodenext --target es2022 --lib es2023 --types node'.split(
      ' ',
    );
    const types = ['--typeRoots', join(REPOSITORY, 'node_modules/@types')];
    for (const folder of [join(app, 'old'), REPOSITORY]) {
      const tsc = join(folder, 'node_modules/typescript/bin/tsc');
      const check = (...more: string[]): Promise<string> =>
        run(process.execPath, [tsc, ...options, ...types, ...more, 'types.ts'], { cwd: app }).then(
          () => '',
          ({ stdout }: { stdout: string }) => stdout,
        );
      expect(await check()).to.equal('');
      expect(await check('--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess')).to.equal('');
      expect(await check('--noImplicitOverride', '--noPropertyAccessFromIndexSignature')).to.equal('');
    }
  });
});
