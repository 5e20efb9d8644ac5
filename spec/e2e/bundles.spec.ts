import { execFile } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { Stage } from '../support/peers.ts';
import { Processes, REPOSITORY } from '../support/processes.ts';

const run = promisify(execFile);

/** Not dependencies of the repository: all of them together are larger than everything else that it has. */
const BUNDLERS = ['rollup@4', '@rollup/plugin-node-resolve@16', 'webpack@5', 'vite@8'];

const MATH = `
  import { connect } from 'app-net';
  export const add = connect('math.add', function addNumbers(a, b) {
    if (a < 0) throw new RangeError('a is negative');
    return a + b;
  });
`;
const APP = `
  import { peers, serve } from 'app-net';
  import { add } from './math.js';
  globalThis.theUser = async (peer) => await add.on(peer)(-1, 2);
  const main = async () => {
    serve();
    const [peer] = await peers.ready(add);
    console.log(JSON.stringify({ sum: await add.on(peer)(1, 2), pid: peer.pid }));
    const { stack } = await globalThis.theUser(peer).catch((error) => error);
    const { versions } = await peer.info();
    console.log(JSON.stringify({ stack, version: versions['app-net'] }));
  };
  main();
`;

describe('an application that is bundled together with the library', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let app: string;
  let manifest: { version: string; devDependencies: { esbuild: string } };

  before(async () => {
    app = await stage.folder();
    const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' };
    const packing = ['pack', '--ignore-scripts', '--silent', '--pack-destination', app];
    const { stdout } = await run('npm', packing, { cwd: REPOSITORY, env });
    await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'my-app', type: 'module' }));
    manifest = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as typeof manifest;
    const packages = [`./${stdout.trim()}`, `esbuild@${manifest.devDependencies.esbuild}`, ...BUNDLERS];
    const flags = ['--silent', '--no-audit', '--no-fund', '--prefer-offline'];
    await run('npm', ['install', ...flags, ...packages], { cwd: app, env });
    await copyFile(join(REPOSITORY, 'spec/support/bundle.js'), join(app, 'bundle.js'));
    await writeFile(join(app, 'math.js'), MATH);
    await writeFile(join(app, 'app.js'), APP);
  });

  afterEach(() => processes.clear());
  after(() => stage.clear());

  async function bundle(entry: string, ...how: string[]): Promise<string> {
    const [bundler = '', ...rest] = how;
    const out = `out/${entry}/${how.join('-')}`;
    const building = processes.run(app, ['bundle.js', bundler, entry, out, ...rest]);
    expect(await building.exited, building.errors).to.equal(0);
    return `${out}/app.js`;
  }

  for (const bundler of ['esbuild', 'rollup', 'webpack', 'vite']) {
    for (const format of ['esm', 'cjs']) {
      for (const size of ['plain', 'min']) {
        // The minifier of webpack takes 7 s, and it is the same for both formats.
        if (bundler === 'webpack' && format === 'esm' && size === 'min') continue;
        it(`runs, calls another one and keeps the user's frames: ${bundler}, ${format}, ${size}`, async () => {
          const file = await bundle('app.js', bundler, format, size);
          const both = [processes.run(app, [file]), processes.run(app, [file])];
          for (const [each, other] of [both, both.toReversed()] as (typeof both)[]) {
            const { sum, pid } = await each!.line<{ sum?: number; pid?: number }>(
              (line) => line.sum !== undefined,
            );
            expect({ sum, pid }).to.deep.equal({ sum: 3, pid: other!.pid });
            const { stack, version } = await each!.line<{ stack?: string; version?: string }>(
              (line) => line.stack !== undefined,
            );
            expect(version).to.equal(manifest.version);
            const [message, ...frames] = stack!.split('\n');
            expect(message).to.equal('RangeError: a is negative');
            const border = frames.findIndex((frame) => frame.startsWith('    at peer "'));
            expect(frames[0], stack).to.include(file);
            if (size === 'plain') expect(frames[0]).to.include('addNumbers');
            expect(frames.slice(border).join('\n'), stack).to.include('theUser').and.to.include(file);
          }
        });
      }
    }
  }

  describe('and has no tags', () => {
    const record = `
      import { connect } from 'app-net';
      const record = connect({ half: (n) => n / 2 });
      console.log(record.half.tag);`;
    const named = `
      import { connect } from 'app-net';
      function multiplyValues(a, b) { return a * b; }
      try { console.log(connect(multiplyValues).tag); } catch (error) { console.log(error.message); }`;

    before(async () => {
      await writeFile(join(app, 'record.js'), record);
      await writeFile(join(app, 'named.js'), named);
    });

    it('is warned once that its tags have the name of the bundle', async () => {
      for (const how of [
        ['esbuild', 'cjs', 'plain'],
        ['webpack', 'esm', 'plain'],
      ]) {
        const told = processes.run(app, [await bundle('record.js', ...how)]);
        expect(await told.exited, told.errors).to.equal(0);
        expect(told.errors.match(/AppNetWarning: .* is a bundle/g), told.errors).to.have.length(1);
        expect(told.errors).to.include("connect('half', fn)");
      }
    });

    it('is refused a name that a minifier made', async () => {
      for (const bundler of ['esbuild', 'rollup', 'vite']) {
        const told = processes.run(app, [await bundle('named.js', bundler, 'esm', 'min')]);
        expect(await told.exited, told.errors).to.equal(0);
        expect(told.lines[0]).to.match(/^connect: a minifier made the name "\w+".*connect\('tag', fn\)$/);
      }
    });

    describe('when the library is left out of the bundle', () => {
      /** Of two modules that have tags, and of names that need not be told apart. */
      const two = "import './record.js'; import { addition } from './sum.js'; console.log(addition(1, 2));";
      const warning =
        /AppNetWarning: .*\/out\/\S+ is a bundle, and the tag my-app\/out\/\S+\.half is derived/g;

      before(async () => {
        await writeFile(join(app, 'two.js'), two);
        await writeFile(join(app, 'sum.js'), 'export function addition(a, b) {\n  return a + b;\n}');
      });

      for (const bundler of ['esbuild', 'rollup', 'webpack', 'vite']) {
        for (const size of ['plain', 'min']) {
          it(`is told so without a source map: ${bundler}, ${size}`, async () => {
            const told = processes.run(app, [await bundle('two.js', bundler, 'esm', size, 'external')]);
            expect(await told.exited, told.errors).to.equal(0);
            expect(told.errors.match(warning), told.errors).to.have.length(1);
          });
        }
      }

      it('is told so with a source map, beside the file or in it', async () => {
        const { build } = await import('esbuild');
        const common = { absWorkingDir: app, bundle: true, packages: 'external', format: 'esm' } as const;
        for (const sourcemap of ['linked', 'inline'] as const) {
          const outfile = `out/${sourcemap}.js`;
          await build({ ...common, entryPoints: ['two.js'], outfile, sourcemap, minify: true });
          const told = processes.run(app, [outfile]);
          expect(await told.exited, told.errors).to.equal(0);
          expect(told.errors.match(warning), told.errors).to.have.length(1);
        }
      });

      it('is refused a name that a minifier made', async () => {
        const minified = processes.run(app, [await bundle('named.js', 'esbuild', 'esm', 'min', 'external')]);
        expect(await minified.exited).to.equal(0);
        expect(minified.lines[0]).to.match(/^connect: a minifier made the name/);
      });
    });

    it('hears nothing of this in plain files, and in those that a compiler makes', async () => {
      await writeFile(
        join(app, 'plain.ts'),
        `import { connect } from 'app-net';
         export const f=connect(function f(a: number){return a}); export const { g } = connect({ g: () => 1 });
         console.log('connected');`,
      );
      const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
      const options =
        '--sourceMap --skipLibCheck --module nodenext --target es2022 --types node --outDir out'.split(' ');
      const types = ['--typeRoots', join(REPOSITORY, 'node_modules/@types')];
      await run(process.execPath, [tsc, ...options, ...types, 'plain.ts'], { cwd: app });
      const tsx = ['--import', join(REPOSITORY, 'node_modules/tsx/dist/loader.mjs')];
      for (const args of [['named.js'], ['out/plain.js'], [...tsx, 'plain.ts']]) {
        const quiet = processes.run(app, args);
        expect(await quiet.exited, quiet.errors).to.equal(0);
        expect(quiet.lines.join('\n') + quiet.errors).not.to.match(/bundle|minifier/);
      }
    });
  });
});
