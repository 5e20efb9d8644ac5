import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { expect } from 'chai';

import { Stage } from '../support/peers.ts';
import { Processes, REPOSITORY } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

const MOCHA = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');
const VITEST = join(REPOSITORY, 'node_modules/vitest/vitest.mjs');

/** A test that fails while peers run: its own `stop()` is never reached. */
const FAILS = `
import { connect, createPeer, getPeers, remote } from 'app-net';
connect('hangs', () => new Promise(() => {}));
it('never reaches its stop()', async () => {
  await getPeers();
  const peer = await createPeer().start();
  const call = peer.remote('hangs').any({}, { wait: true })();
  call.catch(() => {});
  await peer.peers.ready('hangs');
  await new Promise((resolve) => setTimeout(resolve, 50));
  throw new Error('the test fails');
  await peer.stop();
});
after(stopAll);
`;

const RUNNERS = {
  mocha: {
    words: [MOCHA, '--no-config', 'app.test.mjs'],
    head: `import { stopAll } from 'app-net/testing';`,
  },
  'node:test': {
    words: ['--test', 'app.test.mjs'],
    head: `import { after, it } from 'node:test'; import { stopAll } from 'app-net/testing';`,
  },
  vitest: {
    words: [VITEST, 'run', 'app.test.mjs'],
    head: `import { afterAll as after, it } from 'vitest'; import { stopAll } from 'app-net/testing';`,
  },
} as const;

describe('tests of users', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let folder: string;

  beforeEach(async () => {
    folder = await stage.folder();
    await mkdir(join(folder, 'node_modules'));
    await symlink(REPOSITORY, join(folder, 'node_modules', 'app-net'));
    await writeFile(join(folder, 'package.json'), '{"name":"my-app","type":"module"}');
  });

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  async function test(
    runner: keyof typeof RUNNERS,
    script: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<TestProcess> {
    const { words, head } = RUNNERS[runner];
    await writeFile(join(folder, 'app.test.mjs'), `${head}\n${script}`);
    // The marks of a test run must come from this runner, and not from the runner of this spec.
    return processes.run(folder, [...words], { NODE_ENV: '', NODE_TEST_CONTEXT: undefined, ...env });
  }

  for (const runner of Object.keys(RUNNERS) as (keyof typeof RUNNERS)[]) {
    describe(`with ${runner}`, () => {
      it('end after a failure, when stopAll() runs after them, and say nothing but the failure', async () => {
        for (const conditions of ['', '--conditions=development']) {
          const run = await test(runner, FAILS, { NODE_OPTIONS: conditions });
          expect(await run.exited).to.equal(1);
          const out = run.lines.join('\n') + run.errors;
          expect(out).to.match(/the test fails/);
          expect(out).not.to.match(/xstate|stopped actor|AppNetWarning|app-net\/dist|Unhandled/i);
        }
      });

      it('are told once when they meet another process, and of the line that keeps them apart', async () => {
        // In a home of their own, where peers meet that are told nothing of it.
        const env = { APP_NET_RUNTIME_DIR: undefined, XDG_RUNTIME_DIR: folder };
        const script = `import { connect, serve } from 'app-net'; connect('job', () => 'live'); await serve();`;
        await processes.start(folder, script, { name: 'live-1.mjs', env });
        await processes.start(folder, script, { name: 'live-2.mjs', env });
        const meets = `
          import { peers, remote } from 'app-net';
          it('meets', async () => { await peers.ready('job', { min: 2 }); });
          after(stopAll);`;
        const told = await test(runner, meets, env);
        expect(await told.exited, told.lines.join('\n')).to.equal(0);
        const out = told.lines.join('\n') + told.errors;
        expect(
          out.match(/AppNetWarning: the tests have met another process: peer "live-[12]/g),
        ).to.have.length(1);
        expect(out).to.include('configure({ network: new MemoryNetwork() });');

        const apart = `
          import { MemoryNetwork } from 'app-net/testing';
          import { configure, getPeers } from 'app-net';
          configure({ network: new MemoryNetwork() });
          it('meets nobody', async () => { if ((await getPeers()).length > 0) throw new Error('met'); });
          after(stopAll);`;
        const alone = await test(runner, apart, env);
        expect(await alone.exited, alone.lines.join('\n')).to.equal(0);
        expect(alone.lines.join('\n') + alone.errors).not.to.include('AppNetWarning');
      });
    });
  }

  it('are told under NODE_ENV=test, too, and a process that is no test is not', async () => {
    const env = { APP_NET_RUNTIME_DIR: undefined, XDG_RUNTIME_DIR: folder };
    const script = `import { connect, serve } from 'app-net'; connect('job', () => 'live'); await serve();`;
    await processes.start(folder, script, { name: 'live.mjs', env });
    const meets = `import { peers } from 'app-net'; await peers.ready('job');`;
    const plain = await processes.start(folder, meets, { env: { ...env, NODE_ENV: '' } });
    expect(await plain.exited).to.equal(0);
    expect(plain.errors).to.equal('');
    const tests = await processes.start(folder, meets, { env: { ...env, NODE_ENV: 'test' } });
    expect(await tests.exited).to.equal(0);
    expect(tests.errors).to.include('NODE_ENV=test');
  });
});
