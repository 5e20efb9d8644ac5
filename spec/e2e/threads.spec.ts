import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';
import { build } from 'esbuild';

import { Stage } from '../support/peers.ts';
import { LIBRARY, Processes, REPOSITORY } from '../support/processes.ts';

const run = promisify(execFile);

/** A file of functions, as each thread loads it. */
const FUNCTIONS = `
import { connect, current } from 'app-net';
import { threadId } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';

const spin = (ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return threadId;
};
export const plain = connect('plain', () => 'plain');
export const f = connect({
  spin,
  id: () => threadId,
  untilAborted: () => {
    while (!current().signal.aborted);
    return current().signal.reason.code;
  },
  listen: async () => {
    await new Promise((resolve) => current().signal.addEventListener('abort', resolve));
    return threadId;
  },
  exit: (code) => process.exit(code),
  exitLater: async (ms) => {
    await sleep(ms);
    process.exit(1);
  },
  throwLater: () => {
    setImmediate(() => {
      throw new Error('thrown by nobody');
    });
    return sleep(60_000);
  },
  eat: () => {
    const eaten = [];
    for (;;) eaten.push(Array.from({ length: 10_000 }, (_, n) => ({ n })));
  },
  count: async function* (to) {
    for (let n = 0; n < to; n += 1) {
      yield n;
      if (n === 40) process.exit(1);
    }
  },
}, { prefix: 'f', threads: 1, kill: 100, resourceLimits: { maxOldGenerationSizeMb: 48 } });
`;

const USE = `
const outcome = (call) => call.then((value) => ({ value }), ({ name, code, ran, message, retriable }) => ({ name, code, ran, message, retriable }));
const say = (line) => console.log(JSON.stringify(line));
`;

describe('threads of a process', () => {
  const stage = new Stage();
  const processes = new Processes();

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  /** Runs a script that uses the functions in its own process, until it ends. Resolves with what it said. */
  const local = async (script: string, functions = FUNCTIONS): Promise<unknown[]> => {
    const folder = await stage.folder();
    await writeFile(join(folder, 'functions.mjs'), functions.replaceAll("'app-net'", `'${LIBRARY}'`));
    const started = await processes.start(folder, `import { f } from './functions.mjs';\n${USE}\n${script}`);
    expect(await started.exited, started.errors).to.equal(0);
    return started.lines;
  };

  it('let it end when nothing runs any more', async () => {
    expect(await local('say({ id: await f.id.thread()() > 0 });')).to.deep.equal([{ id: true }]);
  });

  it('are told of a cancel: a function that computes sees it, or its thread is ended and replaced', async () => {
    const [aborted, killed, other, same] = (await local(
      `
      const stop = new AbortController();
      const polite = outcome(f.untilAborted.thread({ signal: stop.signal })());
      const first = await f.id.thread()().catch(() => 0);
      setTimeout(() => stop.abort(new Error('enough')), 50);
      const before = f.id.thread()();
      say(await polite);
      const id = await before;
      say(await outcome(f.spin.thread({ deadline: 50 })(60_000)));
      const after = await f.id.thread()();
      say({ id, after });
      say(await outcome(f.listen.thread({ deadline: 50 })()));
    `.replace('const first = await f.id.thread()().catch(() => 0);', ''),
    )) as Record<string, unknown>[];
    expect(aborted).to.include({ message: 'enough' });
    expect(killed).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'unknown' });
    expect(other!['after']).to.not.equal(other!['id']);
    expect(same).to.include({ code: 'DEADLINE_EXCEEDED' });
  });

  it('have one ready that takes the place of one that is ended', async () => {
    const lines = await local(`
      let workers = 0;
      process.on('worker', () => (workers += 1));
      await f.id.thread()();
      const { code } = await outcome(f.spin.thread({ deadline: 50 })(60_000));
      await f.id.thread()();
      say({ code, workers });`);
    const [{ code, workers }] = lines as [{ code: string; workers: number }];
    expect(code).to.equal('DEADLINE_EXCEEDED');
    // The first one, the one that was ready, and the one that is ready for the next time. A fourth one, if the second was not ready yet.
    expect(workers).to.be.within(3, 4);
  });

  it('lose their own calls only, and say why; what had not begun runs in the next thread', async () => {
    const lost = `
      const lost = async (call) => {
        const others = Array.from({ length: 5 }, () => outcome(f.id.thread()()));
        const first = await outcome(call);
        say({ ...first, others: (await Promise.all(others)).filter(({ value }) => value > 0).length });
      };
      await f.id.thread()();`;
    // A few of them in each process: the next crash would stop the pool.
    const scripts = [
      `${lost}
      await lost(f.exit.thread()(3));
      await lost(f.throwLater.thread()());`,
      `${lost}
      await lost(f.eat.thread()());
      const seen = [];
      try {
        for await (const n of f.count.thread()(100)) seen.push(n);
      } catch ({ code, ran }) {
        say({ code, ran, enough: seen.length >= 1 });
      }`,
    ];
    const said = await Promise.all(scripts.map((script) => local(script)));
    const lines = said.flat() as { code: string; message: string }[];
    expect(lines).to.have.length(4);
    for (const line of lines.slice(0, 3)) {
      expect(line).to.include({
        name: 'NetError',
        code: 'THREAD_LOST',
        ran: 'unknown',
        retriable: false,
        others: 5,
      });
    }
    expect(lines[0]!.message).to.include('process.exit(3)');
    expect(lines[1]!.message).to.include('thrown by nobody');
    expect(lines[2]!.message).to.include('memory');
    expect(lines[3]).to.deep.equal({ code: 'THREAD_LOST', ran: 'yes', enough: true });
  }).timeout(120_000);

  it('are not started again and again when they crash', async () => {
    const outcomes = (await local(`
      for (let n = 0; n < 5; n += 1) say(await outcome(f.exit.thread()(1)));
    `)) as { code: string; message: string; ran: string; retriable: boolean }[];
    expect(outcomes.map(({ code }) => code)).to.deep.equal([
      ...['THREAD_LOST', 'THREAD_LOST', 'THREAD_LOST', 'OVERLOADED', 'OVERLOADED'],
    ]);
    expect(outcomes[3]).to.include({ ran: 'no', retriable: true });
    expect(outcomes[3]!.message).to.match(
      /its threads ended 3 times in 10 s; the last time: .*process\.exit\(1\)/,
    );
  });

  it('are replaced, and their calls fail at once, when code in them breaks the thread', async () => {
    const broken = `
      import { parentPort, workerData, isMainThread } from 'node:worker_threads';
      const { port } = isMainThread ? {} : workerData["app-net"];
      const GARBAGE = [1, null, undefined, {}, [], new Map(), { line: 5 }, { line: 'x' }, { line: '{', binaries: [1] },
        'x', '', '@', '-', '-999', '!failed', '+', '*', '{"type":"result","id":99999,"value":1}', '{"type":"error","id":1}'];
      export const b = connect({
        garbage: () => {
          for (const each of GARBAGE) [port, parentPort].forEach((way) => way.postMessage(each));
          return 'posted';
        },
        close: async () => {
          port.close();
          await sleep(60_000);
        },
        patch: () => {
          JSON.stringify = () => {
            throw new Error('patched');
          };
          return new Map();
        },
        throwNothing: async () => {
          setImmediate(() => {
            throw undefined;
          });
          await sleep(60_000);
        },
      }, { prefix: 'b', threads: 2 });`;
    const outcomes = await Promise.all(
      ['b.garbage', 'b.close', 'b.patch', 'b.throwNothing'].map(async (call) => {
        const script = `import { b } from './functions.mjs';
          process.on('uncaughtException', ({ message }) => say({ uncaught: message }));
          say(await outcome(${call}.thread({ deadline: 60_000 })()));
          say(await outcome(f.id.thread()()));`;
        const [said, next] = (await local(script, FUNCTIONS + broken)) as Record<string, string>[];
        expect(next, call).to.have.property('value');
        return said!;
      }),
    );
    expect(outcomes[0]).to.deep.equal({ value: 'posted' });
    for (const each of outcomes.slice(1)) expect(each).to.include({ code: 'THREAD_LOST', ran: 'unknown' });
    expect(outcomes[1]!['message']).to.include('closed its port');
    expect(outcomes[2]!['message']).to.include('patched');
    expect(outcomes[3]!['message']).to.include('ended with an error: undefined');
  }).timeout(120_000);

  it('say that the file never finished loading', async () => {
    const [said] = (await local(
      'say(await outcome(f.id.thread()()));',
      `${FUNCTIONS}\nimport { isMainThread } from 'node:worker_threads'; if (!isMainThread) await new Promise(() => {});`,
    )) as { code: string; message: string }[];
    expect(said).to.include({ code: 'OVERLOADED', ran: 'no' });
    expect(said!.message).to.include('before it had loaded the file');
  });

  it('are refused for a file that starts a program, uses events, or connects nothing there', async () => {
    const wrong: [string, RegExp][] = [
      [
        "import { serve } from 'app-net'; serve().catch(() => {});",
        /starts a peer .*move the functions and their connect\(\) calls/,
      ],
      ["import { getPeers } from 'app-net'; await getPeers();", /starts a peer/],
      ["import { event } from 'app-net'; event('done').subscribe(() => {});", /uses events/],
      [
        "import { isMainThread } from 'node:worker_threads'; if (!isMainThread) throw new RangeError('not here');",
        /not here/,
      ],
    ];
    for (const [index, [code, message]] of wrong.entries()) {
      // After that time its threads may be started again.
      const later = 'await new Promise((resolve) => setTimeout(resolve, 5_100));';
      const again = index === 0 ? `${later} await outcome(f.id.thread()()); say({ warnings });` : '';
      const functions = `import { connect } from 'app-net';\n${code}\nexport const f = connect({ id: () => 1 }, { prefix: 'f', threads: 1 });`;
      const told = (await local(
        `
        process.on('warning', ({ name }) => (warnings += name === 'AppNetWarning' ? 1 : 0));
        let warnings = 0;
        say(await outcome(f.id.thread()()));
        say(await outcome(f.id.thread()()));
        say({ warnings });
        ${again}
        process.exit(0);`,
        functions,
      )) as { message: string }[];
      for (const line of told) if ('warnings' in line) expect(line).to.deep.equal({ warnings: 1 });
      const [failed, second] = told;
      expect(failed).to.include({ code: 'THREAD_LOST', ran: 'no', retriable: true });
      expect(failed!.message).to.match(message).and.include('functions.mjs cannot be loaded in a thread');
      expect(second).to.include({ code: 'THREAD_LOST', ran: 'no' });
      expect(told).to.have.length(index === 0 ? 4 : 3);
    }
  }).timeout(120_000);

  it('work for TypeScript, for a bundle with the library in it, and for CommonJS', async () => {
    const folder = await stage.folder();
    await mkdir(join(folder, 'node_modules'));
    await symlink(join(REPOSITORY, 'node_modules/tsx'), join(folder, 'node_modules/tsx'));
    await symlink(REPOSITORY, join(folder, 'node_modules/app-net'));
    const functions = `
      import { connect } from 'app-net';
      import { isMainThread } from 'node:worker_threads';
      const add = (a: number, b: number): number => a + b;
      export const f = connect({ add, where: (): boolean => isMainThread }, { prefix: 'f', threads: 1 });`;
    const main = `
      import { stop } from 'app-net';
      import { isMainThread } from 'node:worker_threads';
      import { f } from './functions.ts';
      const main = async () => {
        console.log(JSON.stringify([await f.add.thread()(1, 2), await f.where.thread()()]));
        await stop();
      };
      if (isMainThread) void main();`;
    await writeFile(join(folder, 'package.json'), '{ "type": "module", "name": "user" }');
    await writeFile(join(folder, 'functions.ts'), functions);
    await writeFile(join(folder, 'main.ts'), main);
    const options = {
      absWorkingDir: folder,
      entryPoints: [join(folder, 'main.ts')],
      bundle: true,
      platform: 'node' as const,
    };
    await build({ ...options, format: 'esm', outfile: 'main.mjs', logLevel: 'silent' });
    await build({ ...options, format: 'cjs', outfile: 'main.cjs', logLevel: 'silent' });
    const env = { ...process.env, NODE_OPTIONS: '', APP_NET_RUNTIME_DIR: folder };
    for (const args of [['--import', 'tsx', 'main.ts'], ['main.mjs'], ['main.cjs']]) {
      const { stdout } = await run(process.execPath, args, { cwd: folder, env });
      expect(JSON.parse(stdout), args.join(' ')).to.deep.equal([3, false]);
    }
  }).timeout(120_000);

  it('do not warn again of the tags that are derived in a bundle', async () => {
    const folder = await stage.folder();
    await mkdir(join(folder, 'node_modules'));
    await symlink(REPOSITORY, join(folder, 'node_modules/app-net'));
    const program = `
      import { connect, stop } from 'app-net';
      import { isMainThread, threadId } from 'node:worker_threads';
      const f = connect({ where: () => threadId }, { threads: 2 });
      if (isMainThread) {
        const threads = await Promise.all([f.where.thread()(), f.where.thread()()]);
        console.log(JSON.stringify(threads));
        await stop();
      }`;
    await writeFile(join(folder, 'package.json'), '{ "type": "module", "name": "user" }');
    await writeFile(join(folder, 'main.js'), program);
    const [entryPoints, outfile] = [['main.js'], 'all.mjs'];
    const how = { bundle: true, format: 'esm', platform: 'node', logLevel: 'silent' } as const;
    await build({ absWorkingDir: folder, entryPoints, outfile, ...how });
    const env = { ...process.env, NODE_OPTIONS: '', APP_NET_RUNTIME_DIR: folder };
    const { stdout, stderr } = await run(process.execPath, ['all.mjs'], { cwd: folder, env });
    expect(JSON.parse(stdout)).not.to.include(0);
    expect(stderr.match(/AppNetWarning: .* is a bundle/g), stderr).to.have.length(1);
  }).timeout(120_000);
});
