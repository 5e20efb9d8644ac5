import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { inLanes } from '../support/lanes.ts';
import { Stage } from '../support/peers.ts';
import { Processes, REPOSITORY } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

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

const RECORD = `
  import { connect } from 'app-net';
  const record = connect({ half: (n) => n / 2 });
  console.log(record.half.tag);`;
const NAMED = `
  import { connect, registerError } from 'app-net';
  function multiplyValues(a, b) { return a * b; }
  class OutOfPaper extends Error {}
  try { console.log(connect(multiplyValues).tag); } catch (error) { console.log(error.message); }
  try { console.log(registerError(OutOfPaper)); } catch (error) { console.log(error.message); }
  registerError(OutOfPaper, 'OutOfPaper');`;
/** Of two modules that have tags, and of names that need not be told apart. */
const TWO = "import './record.js'; import { addition } from './sum.js'; console.log(addition(1, 2));";
const SUM = 'export function addition(a, b) {\n  return a + b;\n}';

describe('an application that is bundled together with the library', function () {
  this.timeout(180_000);
  const stage = new Stage();
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
    const files = { math: MATH, app: APP, record: RECORD, named: NAMED, two: TWO, sum: SUM };
    for (const [name, text] of Object.entries(files)) await writeFile(join(app, `${name}.js`), text);
    outcomes = inLanes(cases, async (each) => {
      const processes = new Processes();
      try {
        await each(new Bundling(app, processes));
      } finally {
        await processes.clear();
      }
    });
  });

  after(async () => {
    await Promise.allSettled(outcomes.values());
    await stage.clear();
  });

  const cases: Case[] = [];
  let outcomes = new Map<Case, Promise<void>>();
  /** A test that runs beside others. */
  function test(title: string, each: Case): void {
    cases.push(each);
    it(title, () => outcomes.get(each));
  }

  for (const bundler of ['esbuild', 'rollup', 'webpack', 'vite']) {
    for (const format of ['esm', 'cjs']) {
      for (const size of ['plain', 'min']) {
        // The minifier of webpack takes 7 s, and it is the same for both formats.
        if (bundler === 'webpack' && format === 'esm' && size === 'min') continue;
        test(`runs, calls another one and keeps the user's frames: ${bundler}, ${format}, ${size}`, async (bundling) => {
          const file = await bundling.of('app.js', bundler, format, size);
          const both = [await bundling.start(file), await bundling.start(file)];
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
    test('is warned once that its tags have the name of the bundle', async (bundling) => {
      for (const [bundler, format] of [
        ['esbuild', 'cjs'],
        ['webpack', 'esm'],
      ] as const) {
        const told = await bundling.start(await bundling.of('record.js', bundler, format, 'plain'));
        expect(await told.exited, told.errors).to.equal(0);
        expect(told.errors.match(/AppNetWarning: .* is a bundle/g), told.errors).to.have.length(1);
        expect(told.errors).to.include("connect('half', fn)");
      }
    });

    test('is refused a name that a minifier made', async (bundling) => {
      for (const bundler of ['esbuild', 'rollup', 'vite']) {
        const told = await bundling.start(await bundling.of('named.js', bundler, 'esm', 'min'));
        expect(await told.exited, told.errors).to.equal(0);
        expect(told.lines[0]).to.match(/^connect: a minifier made the name "[\w$]+".*connect\('tag', fn\)$/);
        expect(told.lines[1]).to.match(
          /^registerError: a minifier made the name "[\w$]+".*registerError\(MyError, 'MyError'\)$/,
        );
      }
    });

    describe('when the library is left out of the bundle', () => {
      const warning =
        /AppNetWarning: .*\/out\/\S+ is a bundle, and the tag my-app\/out\/\S+\.half is derived/g;

      for (const bundler of ['esbuild', 'rollup', 'webpack', 'vite']) {
        for (const size of ['plain', 'min']) {
          test(`is told so without a source map: ${bundler}, ${size}`, async (bundling) => {
            const told = await bundling.start(await bundling.of('two.js', bundler, 'esm', size, 'external'));
            expect(await told.exited, told.errors).to.equal(0);
            expect(told.errors.match(warning), told.errors).to.have.length(1);
          });
        }
      }

      test('is told so with a source map, beside the file or in it', async (bundling) => {
        const { build } = await import('esbuild');
        const common = { absWorkingDir: app, bundle: true, packages: 'external', format: 'esm' } as const;
        for (const sourcemap of ['linked', 'inline'] as const) {
          const outfile = `out/${sourcemap}.js`;
          await build({ ...common, entryPoints: ['two.js'], outfile, sourcemap, minify: true });
          const told = await bundling.start(outfile);
          expect(await told.exited, told.errors).to.equal(0);
          expect(told.errors.match(warning), told.errors).to.have.length(1);
        }
      });

      test('is refused a name that a minifier made', async (bundling) => {
        const minified = await bundling.start(
          await bundling.of('named.js', 'esbuild', 'esm', 'min', 'external'),
        );
        expect(await minified.exited).to.equal(0);
        expect(minified.lines[0]).to.match(/^connect: a minifier made the name/);
        expect(minified.lines[1]).to.match(/^registerError: a minifier made the name/);
      });
    });

    test('hears nothing of this in plain files, and in those that a compiler makes', async (bundling) => {
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
        const quiet = await bundling.start(...args);
        expect(await quiet.exited, quiet.errors).to.equal(0);
        expect(quiet.lines.join('\n') + quiet.errors).not.to.match(/bundle|minifier/);
      }
    });
  });
});

type Case = (bundling: Bundling) => Promise<void>;

/** Makes bundles of one case and starts them, away from those of other cases. */
class Bundling {
  readonly #app: string;
  readonly #processes: Processes;
  #runtimeDirectory: string | undefined;

  constructor(app: string, processes: Processes) {
    this.#app = app;
    this.#processes = processes;
  }

  /** @returns the path of the bundle */
  async of(entry: string, bundler: string, ...how: string[]): Promise<string> {
    const out = `out/${entry}/${[bundler, ...how].join('-')}`;
    const building = this.#processes.run(this.#app, ['bundle.js', bundler, entry, out, ...how]);
    expect(await building.exited, building.errors).to.equal(0);
    return `${out}/app.js`;
  }

  async start(...args: string[]): Promise<TestProcess> {
    this.#runtimeDirectory ??= await mkdtemp(join(this.#app, 'run-'));
    return this.#processes.run(this.#app, args, { APP_NET_RUNTIME_DIR: this.#runtimeDirectory });
  }
}
