import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { COMMAND, run } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { LIBRARY, Processes, REPOSITORY } from '../support/processes.ts';
import { Terminal } from '../support/terminal.ts';

describe('app-net serve', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  const terminals: Terminal[] = [];
  let folder: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(async () => {
    folder = await stage.folder();
    env = { APP_NET_RUNTIME_DIR: join(folder, 'run') };
    await write('package.json', '{"name":"my-app","type":"module"}');
    // As it is when tsx and the library are installed in the project.
    await mkdir(join(folder, 'node_modules'));
    await symlink(join(REPOSITORY, 'node_modules/tsx'), join(folder, 'node_modules/tsx'));
  });

  afterEach(async () => {
    await Promise.all(terminals.splice(0).map((terminal) => terminal.kill()));
    await processes.clear();
    await stage.clear();
  });

  const write = (file: string, text: string): Promise<void> =>
    writeFile(join(folder, file), text.replaceAll("'app-net'", `'${LIBRARY}'`));
  const open = (...args: string[]): Terminal => {
    const terminal = new Terminal(args, env);
    terminals.push(terminal);
    return terminal;
  };
  const call = (...args: string[]): ReturnType<typeof run> => run(['call', ...args], env);

  it('keeps a module as a peer, and leaves on request', async () => {
    await write(
      'math.js',
      "import { connect } from 'app-net'; export const multiply = connect(function multiply(a, b) { return a * b; });",
    );
    const witness = stage.make({ runtimeDir: env['APP_NET_RUNTIME_DIR'], group: 'gpu' });
    await witness.start();
    const left: string[] = [];
    witness.peers.on('leave', (peer, why) => left.push(`${peer.name} ${why}`));
    const served = processes.run(
      folder,
      [COMMAND, 'serve', join(folder, 'math.js'), '-n', 'math', '-g', 'gpu'],
      env,
    );
    await served.line((line) => String(line).includes('math serves 1 function in the group gpu'));
    await served.line((line) => String(line).includes('my-app/math.multiply'));
    expect(await call('multiply', '6', '7')).to.include({ out: '42\n' });
    served.child.kill('SIGTERM');
    expect(await served.exited).to.equal(0);
    await eventually(() => expect(left).to.deep.equal(['math stopped']));
  });

  it('reads TypeScript, and restarts after a change, until Ctrl-C', async () => {
    await write('factor.ts', 'export const factor: number = 2;');
    await write(
      'times.ts',
      `import { connect } from 'app-net';
       import { factor } from './factor.ts';
       export const times = connect(function times(value: number): number {
         if (value < 0) throw new RangeError('below zero');
         return value * factor;
       });`,
    );
    const terminal = open('serve', join(folder, 'times.ts'), '--watch');
    await terminal.shows(/times\.ts:\d+ serves 1 function in the group main/);
    expect(await call('times', '21')).to.include({ out: '42\n' });
    const failing = open('call', 'times', '-1');
    await failing.shows(/RangeError: below zero\n +at .*times\.ts:4:\d+\)?\n +at peer "times\.ts/);
    await write('factor.ts', 'export const factor: number = 3;');
    await eventually(async () => expect(await call('times', '21')).to.include({ out: '63\n' }), 20_000);
    // A mistake is told, and mended by the next change.
    await write('factor.ts', 'export const factor: number = ;');
    await terminal.shows(/Unexpected/);
    await write('factor.ts', 'export const factor: number = 4;');
    await eventually(async () => expect(await call('times', '21')).to.include({ out: '84\n' }), 20_000);
    // As editors save: under another name, which then takes the place of the old one.
    for (const factor of [5, 6]) {
      await write('factor.new', `export const factor: number = ${factor};`);
      await rename(join(folder, 'factor.new'), join(folder, 'factor.ts'));
      const out = `${21 * factor}\n`;
      await eventually(async () => expect(await call('times', '21')).to.include({ out }), 20_000);
    }
    terminal.pressCtrlC();
    expect(await terminal.exited).to.equal(0);
    const { lines } = await run(['peers'], env);
    expect(lines).to.deep.equal([]);
  });

  it('tells what is missing', async () => {
    await write('nothing.js', 'export const nothing = 1;');
    const nothing = await run(['serve', join(folder, 'nothing.js')], env);
    expect(nothing.code).to.equal(2);
    expect(nothing.errors).to.match(
      /nothing\.js was loaded, and it connected no function\nconnect one: import/,
    );
    const missing = await run(['serve', join(folder, 'missing.js')], env);
    expect(missing.code).to.equal(2);
    expect(missing.errors).to.include('does not exist');
    for (const options of [[], ['--watch']]) {
      const given = await run(['serve', folder, ...options], env);
      expect(given).to.include({
        code: 2,
        errors: `app-net: ${folder} is a folder\ngive a JavaScript or TypeScript file\n`,
      });
    }
    await write('broken.js', "throw new Error('as it is loaded');");
    const broken = await run(['serve', join(folder, 'broken.js')], env);
    expect(broken.code).to.equal(1);
    expect(broken.errors).to.include('as it is loaded').and.to.include('broken.js');
  });

  it('says that it serves when it can be found, and not before', async () => {
    // The announcement takes longer than a command searches where it finds nobody.
    await write(
      'late.js',
      `import files from 'node:fs/promises';
       import { syncBuiltinESMExports } from 'node:module';
       import { setTimeout as wait } from 'node:timers/promises';
       const { rename } = files;
       files.rename = async (from, to) => {
         await wait(2_000);
         console.log('announced');
         await rename(from, to);
       };
       syncBuiltinESMExports();
       const { connect } = await import('app-net');
       connect('late', () => 'found');`,
    );
    const served = processes.run(folder, [COMMAND, 'serve', join(folder, 'late.js')], env);
    await served.line((line) => String(line).includes('serves 1 function'));
    expect(served.lines[0]).to.equal('announced');
    expect(await call('late')).to.include({ out: '"found"\n' });
  });

  it('serves a module that uses its own copy of the library', async () => {
    // The sources, loaded beside the built library, stand for that copy.
    const source = new URL('../../src/index.ts', import.meta.url).href;
    await write('own.ts', `import { connect } from '${source}'; connect('mine', () => 'own copy');`);
    const served = processes.run(folder, [COMMAND, 'serve', join(folder, 'own.ts')], env);
    await served.line((line) => String(line).includes('serves 1 function'));
    expect(await call('mine')).to.include({ out: '"own copy"\n' });
  });
});
