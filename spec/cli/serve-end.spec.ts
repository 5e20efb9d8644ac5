import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { COMMAND, run } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { need } from '../support/need.ts';
import { Stage } from '../support/peers.ts';
import { LIBRARY, Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

const CONNECT = `
  import { connect, createPeer, serve } from 'app-net';
  connect('slow', () => {
    console.log('begun ' + process.pid);
    return new Promise((resolve) => setTimeout(resolve, 700, 'done'));
  });
  connect('never', () => {
    console.log('begun ' + process.pid);
    return new Promise(() => {});
  });
`;

describe('the end of app-net serve', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let folder: string;
  let env: NodeJS.ProcessEnv;
  /** Of the last test: one of them takes 18 s to end, and the others need not wait for it. */
  let orphans: Promise<number[]>;
  const early = new Stage();
  const parents = new Processes();

  before(() => {
    orphans = makeOrphans();
    // The last test gets the error.
    orphans.catch(() => {});
  });

  after(async () => {
    await parents.clear();
    await early.clear();
  });

  beforeEach(async () => {
    folder = await stage.folder();
    env = { APP_NET_RUNTIME_DIR: join(folder, 'run') };
    await writeFile(join(folder, 'package.json'), '{"name":"my-app","type":"module"}');
  });

  /** Kills `app-net serve --watch` twice. @returns the processes of the modules: one that is busy and one that is blocked */
  async function makeOrphans(): Promise<number[]> {
    const home = await early.folder();
    const environment = { APP_NET_RUNTIME_DIR: join(home, 'run') };
    const orphan = async (name: string, text: string): Promise<number> => {
      const file = join(home, `${name}.js`);
      await writeFile(file, `${CONNECT.replaceAll("'app-net'", `'${LIBRARY}'`)} ${text} await serve();`);
      const served = parents.run(home, [COMMAND, 'serve', file, '--watch'], environment);
      // Beside the tests on a busy machine this takes longer than one of them alone.
      await served.line((line) => / serves \d+ function/.test(String(line)), 50_000);
      run(['call', name], environment).catch(() => {});
      const line = String(await served.line((each) => String(each).startsWith('begun'), 50_000));
      await served.kill('SIGKILL');
      return Number(line.slice('begun '.length));
    };
    await writeFile(join(home, 'package.json'), '{"name":"my-app","type":"module"}');
    const block = `connect('block', () => {
      console.log('begun ' + process.pid);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
    return [await orphan('slow', ''), await orphan('block', block)];
  }

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  const write = (text: string): Promise<void> =>
    writeFile(join(folder, 'app.js'), text.replaceAll("'app-net'", `'${LIBRARY}'`));
  const start = (...flags: string[]): TestProcess =>
    processes.run(folder, [COMMAND, 'serve', join(folder, 'app.js'), ...flags], env);
  /** Serves a module until it says that it does. */
  const serve = async (text: string, ...flags: string[]): Promise<TestProcess> => {
    await write(text);
    const served = start(...flags);
    await served.line((line) => / serves \d+ function/.test(String(line)));
    return served;
  };
  /** Calls a function, and resolves with the process that runs it, once it does. */
  const begin = async (served: TestProcess, name: string) => {
    const called = run(['call', name], env);
    const line = String(await served.line((each) => String(each).startsWith('begun')));
    return { called, pid: Number(line.slice('begun '.length)) };
  };
  const isRunning = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  const modules = {
    'a module that ends in its own serve()': `${CONNECT} await serve(); console.log('cleaned');`,
    'a module that only connects': CONNECT,
    'a module that waits for ever at its top': `${CONNECT} await new Promise(() => {});`,
    'a module with a timer and a second peer': `${CONNECT} setInterval(() => {}, 1_000); await createPeer().start();`,
  };
  for (const flags of [[], ['--watch']]) {
    const how = flags.length > 0 ? ' with --watch' : '';
    for (const [index, [what, text]] of Object.entries(modules).entries()) {
      it(`comes at the first signal, after what runs: ${what}${how}`, async () => {
        const served = await serve(text, ...flags);
        const { called, pid } = await begin(served, 'slow');
        served.child.kill((['SIGTERM', 'SIGINT', 'SIGHUP'] as const)[index % 3]);
        expect(await called).to.include({ out: '"done"\n', code: 0 });
        expect(await served.exited).to.equal(0);
        expect(isRunning(pid)).to.equal(false);
        if (text.includes('cleaned')) expect(served.lines).to.include('cleaned');
      });
    }

    it(`comes at once at the second signal${how}`, async () => {
      const served = await serve(`${CONNECT} await serve();`, ...flags);
      const { pid } = await begin(served, 'never');
      const begun = performance.now();
      const again = setInterval(() => served.child.kill('SIGTERM'), 200);
      expect(await served.exited).to.equal(130);
      clearInterval(again);
      // Well below the 10 s that a call has to finish.
      expect(performance.now() - begun).to.be.below(8_000);
      await eventually(() => expect(isRunning(pid)).to.equal(false));
    });

    it(`is the module's own where it handles the signal${how}`, async () => {
      const served = await serve(
        `${CONNECT} process.on('SIGTERM', () => setTimeout(() => { console.log('mine'); process.exit(7); }, 50)); await serve();`,
        ...flags,
      );
      served.child.kill('SIGTERM');
      expect(await served.exited).to.equal(flags.length > 0 ? 0 : 7);
      expect(served.lines).to.include('mine');
    });
  }

  it('comes by itself when the module throws, ends the process, or has nothing to wait for', async () => {
    const ends = async (text: string): Promise<{ code: number | null; errors: string }> => {
      await write(text);
      return run(['serve', join(folder, 'app.js')], env);
    };
    const thrown = await ends(`${CONNECT} throw new Error('as it is loaded');`);
    expect(thrown.code).to.equal(1);
    // The frames of the command itself would only hide those of the module.
    expect(thrown.errors).to.match(/^app-net: Error: as it is loaded\n +at file:.*app\.js:\S+\n$/);
    const syntax = await ends('const x = ;');
    expect(syntax.code).to.equal(1);
    expect(syntax.errors).to.match(/^file:.*app\.js:1\nconst x = ;\n/);
    const parsed = await ends("JSON.parse('{a');");
    expect(parsed.code).to.equal(1);
    expect(parsed.errors).to.match(
      /^app-net: SyntaxError: .*\n +at JSON.parse .*\n +at file:.*app\.js:1:6\n$/,
    );
    // As a newer Node throws it for an enum.
    const unsupported = await ends(`throw Object.assign(new SyntaxError('enum is not supported'), {
      code: 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX', stack: 'file:///app.ts:1\\nenum A {}\\n^^^\\n\\nSyntaxError: …' });`);
    expect(unsupported).to.include({
      code: 2,
      errors:
        'app-net: file:///app.ts:1: enum is not supported\nrun npm install --save-dev tsx, which reads all of TypeScript\n',
    });
    expect(await ends(`${CONNECT} process.exit(5);`)).to.include({ code: 5 });
    const stuck = await ends('await new Promise(() => {});');
    expect(stuck.code).to.equal(2);
    expect(stuck.errors).to.include('waits for something that never happens, and it connected no function');
    const stopped = `
      import { createPeer } from 'app-net';
      const own = createPeer();
      setTimeout(() => own.stop(), 300);
      await own.serve();`;
    expect(await ends(stopped)).to.include({ code: 0, errors: '' });
    const died = await ends(`
      import { createPeer } from 'app-net';
      const peer = await createPeer().start();
      process.on('uncaughtException', () => {});
      const poisoned = { type: 'peer.dial', get id() { throw new Error('unforeseen'); } };
      setTimeout(() => peer.actor.send(poisoned), 300);`);
    expect(died.code).to.equal(1);
    expect(died.errors).to.include('unforeseen');
  });

  it('is followed by a start of the new code when a file changes, with --watch and its own serve()', async () => {
    const text = (value: number): string =>
      `import { connect, serve } from 'app-net'; connect('value', () => ${value}); await serve();`;
    const served = await serve(text(1), '--watch');
    for (const value of [2, 3]) {
      await write(text(value));
      await eventually(
        async () => expect(await run(['call', 'value'], env)).to.include({ out: `${value}\n` }),
        20_000,
      );
    }
    await write('const x = ;');
    await eventually(() => expect(served.errors).to.include('app.js has ended'), 20_000);
    await write(text(4));
    await eventually(
      async () => expect(await run(['call', 'value'], env)).to.include({ out: '4\n' }),
      20_000,
    );
    const { lines } = await run(['peers'], env);
    expect(lines).to.have.length(1);
  });

  it('drains the peer as the first process of a container', async function () {
    const unshare = ['unshare', '--pid', '--fork', '--mount-proc'];
    const { status } = spawnSync(unshare[0]!, [...unshare.slice(1), 'true']);
    need(this, status === 0, 'PID namespaces, so Linux and root');
    await write(`${CONNECT} await serve(); console.log('cleaned');`);
    const inside = new Processes(unshare);
    try {
      const served = inside.run(folder, [COMMAND, 'serve', join(folder, 'app.js')], env);
      await served.line((line) => / serves \d+ function/.test(String(line)));
      const [pid] = String(spawnSync('ps', ['-o', 'pid=', '--ppid', String(served.pid)]).stdout)
        .trim()
        .split(/\s+/);
      process.kill(Number(pid), 'SIGTERM');
      expect(await served.exited).to.equal(0);
      expect(served.lines).to.include('cleaned');
    } finally {
      await inside.clear();
    }
  });

  it('reaches the process of --watch when the command is killed, even with a blocked event loop', async () => {
    for (const orphan of await orphans) {
      await eventually(() => expect(isRunning(orphan)).to.equal(false), 40_000);
    }
  });
});
