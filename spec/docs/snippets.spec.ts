import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { inLanes } from '../support/lanes.ts';
import { needNode24 } from '../support/node-24.ts';
import { Stage } from '../support/peers.ts';
import { Processes, REPOSITORY } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

const run = promisify(execFile);

/**
 * A TypeScript snippet of these pages is a whole file, and its first line is a comment with the name of the file. So a
 * reader can copy it and run it, and this spec does the same. Each file of a page is in one of the lists.
 */
interface Page {
  /** Other processes that the snippets need: `app-net serve <file>`. */
  served?: string[];
  /** These end by themselves, with exit code 0. */
  ends: string[];
  /** These stay. Each has to write a line first. */
  stays?: Record<string, string | RegExp>;
  /** Imported by others, or not to be run here: only compiled. */
  compiled?: string[];
  /** Of `served` and `ends`: decorators, which Node cannot strip. */
  decorated?: string[];
}

const PAGES: Record<string, Page> = {
  'README.md': {
    served: ['images.ts', 'images.ts', 'tail.ts'],
    ends: ['call.ts', 'many.ts', 'read.ts', 'retry.ts', 'network.ts', 'gateway.ts', 'lan.ts', 'emit.ts'],
    stays: { 'app.ts': 'here: 50', 'watch.ts': '0', 'listen.ts': '42 0' },
    compiled: ['math.ts', 'jobs.ts', 'search.ts', 'worker.ts'],
  },
  'docs/calls.md': {
    served: ['render.ts', 'greeter.ts', 'report.ts', 'tenant.ts'],
    ends: [
      ...['add.ts', 'cancel.ts', 'greet.ts', 'math-object.ts', 'hooks.ts', 'ask.ts', 'limits.ts'],
      'tenant.ts',
    ],
    decorated: ['greeter.ts', 'greet.ts'],
  },
  'docs/choose-among-peers.md': { served: ['thumbnail.ts'], ends: ['any.ts', 'all.ts', 'map.ts'] },
  'docs/errors.md': { served: ['call-again.ts', 'call-again.ts'], ends: ['call-again.ts'] },
  'docs/events.md': {
    ends: ['emit.ts', 'gaps.ts', 'rows.ts', 'end.ts'],
    stays: { 'listen.ts': /^emit\.ts:\d+ 42 undefined$/ },
    compiled: ['jobs.ts'],
  },
  'docs/observability.md': {
    ends: ['slow.ts'],
    stays: { 'scraped.ts': 'scrape 127.0.0.1:9465' },
    compiled: ['watching.ts'],
  },
  'docs/streams.md': { served: ['count.ts', 'store.ts'], ends: ['read-count.ts', 'upload.ts'] },
  'docs/values.md': { ends: ['parity.ts'], compiled: ['shrink.ts'] },
  'docs/guides/authorize-calls.md': {
    served: ['orders.ts'],
    ends: ['call.ts', 'signed.ts'],
    compiled: ['access.ts', 'unseen.ts'],
  },
  'docs/guides/call-from-a-web-page.md': {
    ends: [],
    compiled: ['server.ts', 'pass.ts', 'app.ts', 'quick.ts', 'both-ways.ts', 'behind.ts', 'state.ts'],
  },
  'docs/guides/give-a-peer-fewer-rights.md': {
    served: ['shop.ts'],
    ends: ['till.ts'],
    stays: { 'server.ts': 'open' },
    compiled: ['pages.ts'],
  },
  'docs/guides/work-that-computes.md': {
    served: ['primes.ts'],
    ends: ['caller.ts', 'here.ts'],
    compiled: ['server.ts'],
  },
  'docs/guides/coming-from-comlink.md': {
    served: ['worker.ts'],
    ends: ['main.ts', 'progress.ts', 'fail.ts'],
  },
  'docs/guides/coming-from-moleculer.md': {
    served: ['posts.ts'],
    ends: ['call.ts', 'create.ts', 'fail.ts'],
    stays: { 'mail.ts': /^create\.ts:\d+ Ada$/ },
    compiled: ['users.ts'],
  },
  'docs/guides/coming-from-nats.md': {
    served: ['orders.ts'],
    ends: ['call.ts', 'pay.ts', 'fail.ts'],
    stays: { 'watch.ts': '42 true' },
    compiled: ['events.ts'],
  },
  'docs/guides/coming-from-ray.md': {
    served: ['square.ts', 'square.ts', 'counter.ts'],
    ends: ['many.ts', 'visit.ts', 'fail.ts'],
  },
  'docs/guides/coming-from-trpc.md': { served: ['hello.ts'], ends: ['call.ts', 'read.ts', 'fail.ts'] },
};

/** All pages run at once, so that a process takes long to start where other work is going on. In ms. */
const LONG = 60_000;

/** As the README says how to run TypeScript. */
const WAYS = [
  { title: 'on this Node with tsx', tsx: true, need: () => process.execPath },
  { title: 'on Node 24 by itself', tsx: false, need: needNode24 },
];

describe('the snippets of the README, of the reference of calls and of the pages for newcomers', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let packed: string;

  before(async () => {
    packed = await stage.folder();
    const packing = ['pack', '--ignore-scripts', '--silent', '--pack-destination', packed];
    const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' };
    const { stdout } = await run('npm', packing, { cwd: REPOSITORY, env });
    await run('tar', ['-xzf', stdout.trim()], { cwd: packed });
  });

  afterEach(() => processes.clear());
  after(() => stage.clear());

  it('are whole files that compile', async () => {
    const app = await newApp(await stage.folder(), packed, ['typescript', '@types', 'undici-types']);
    const options = {
      ...{ module: 'nodenext', target: 'es2022', lib: ['es2023', 'esnext.disposable'], strict: true },
      ...{ noEmit: true, allowImportingTsExtensions: true, types: ['node'] },
      // What `tsc --init` writes, too.
      ...{ noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, verbatimModuleSyntax: true },
      ...{ isolatedModules: true, noUncheckedSideEffectImports: true, moduleDetection: 'force' },
    };
    const include = Object.keys(PAGES).map((page) => join(folderOf(app, page), '*.ts'));
    await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include }));
    const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
    const compiling = await run(process.execPath, [tsc, '-p', app]).catch(
      (error: { stdout: string }) => error,
    );
    expect(compiling.stdout).to.equal('');
  });

  it('of the README compile with the settings that it prints', async () => {
    const app = await newApp(await stage.folder(), packed, ['typescript', '@types', 'undici-types']);
    const readme = await readFile(join(REPOSITORY, 'README.md'), 'utf8');
    const [, settings] = /^```json\n\/\/ tsconfig\.json\n([\s\S]*?)^```/m.exec(readme)!;
    const folder = folderOf(app, 'README.md');
    await writeFile(join(folder, 'tsconfig.json'), settings!);
    const tsc = join(app, 'node_modules/typescript/bin/tsc');
    const compiling = await run(process.execPath, [tsc], { cwd: folder }).catch(
      (error: { stdout: string }) => error,
    );
    expect(compiling.stdout).to.equal('');
  });

  for (const { title, tsx, need } of WAYS) {
    describe(title, () => {
      let app: string;
      let node: string;

      let runs = new Map<string, Promise<void>>();

      const start = (page: string, file: string, those = processes): TestProcess =>
        those.run(folderOf(app, page), [...(tsx ? ['--import', 'tsx'] : []), file], {}, node);
      const command = (those: Processes, page: string, ...args: string[]): TestProcess =>
        those.run(folderOf(app, page), [join(app, 'node_modules/app-net/dist/cli.js'), ...args], {}, node);

      before(async function () {
        node = await need(this);
        app = await newApp(await stage.folder(), packed, tsx ? ['tsx'] : []);
        runs = inLanes(Object.keys(PAGES), runPage);
      });

      // A failure may have left some of them behind.
      after(() => Promise.allSettled(runs.values()));

      async function runPage(page: string): Promise<void> {
        const { served = [], ends, stays = {}, compiled = [], decorated = [] } = PAGES[page]!;
        const those = new Processes();
        const isRun = (file: string): boolean => tsx || !decorated.includes(file);
        try {
          const listed = new Set([...served, ...ends, ...Object.keys(stays), ...compiled]);
          expect([...(await snippets(page)).keys()].toSorted()).to.deep.equal([...listed].toSorted());
          if (ends.includes('lan.ts')) {
            const secret = command(those, page, 'secret', '--file', 'net.secret');
            expect(await secret.exited, secret.errors).to.equal(0);
          }
          const serving = served.filter(isRun).map((file) => ({
            file,
            each: command(those, page, 'serve', file),
          }));
          // One that is also run itself may be waiting for that.
          const early = serving.filter(({ file }) => !ends.includes(file));
          const serves = (line: unknown): boolean => String(line).includes(' serves ');
          await Promise.all(early.map(({ each }) => each.line(serves, LONG)));
          const staying = Object.entries(stays).map(([file, line]) => ({
            line,
            each: start(page, file, those),
          }));
          for (const file of ends.filter(isRun)) {
            const each = start(page, file, those);
            expect(await each.exited, `${file}: ${each.errors}`).to.equal(0);
            expect(each.errors, file).not.to.include('Warning');
          }
          const fits = (line: unknown, wanted: string | RegExp): boolean =>
            typeof wanted === 'string' ? line === wanted : wanted.test(String(line));
          for (const { line, each } of staying) await each.line((written) => fits(written, line), LONG);
        } finally {
          await those.clear();
        }
      }

      for (const page of Object.keys(PAGES)) {
        it(`of ${page} run as they are printed`, () => runs.get(page));
      }

      it('of the README stop a worker by a signal', async () => {
        const worker = start('README.md', 'worker.ts');
        const caller = start('README.md', 'call.ts');
        expect(await caller.exited, caller.errors).to.equal(0);
        worker.child.kill('SIGTERM');
        expect(await worker.exited, worker.errors).to.equal(0);
      });

      it('of the first minute show a call, a join and a crash', async () => {
        const first = start('README.md', 'app.ts');
        await first.line((line) => line === 'here: 50');
        const second = start('README.md', 'app.ts');
        await second.line((line) => line === `in app.ts:${first.pid}: 50`);
        await first.line((line) => line === `app.ts:${second.pid} joined`);
        expect(second.lines).to.deep.equal([
          'here: 50',
          `app.ts:${first.pid} joined`,
          `in app.ts:${first.pid}: 50`,
        ]);
        // The first one may still search. Then it calls the second at once, and would die with it of a lost call.
        const called = first.line((line) => line === `in app.ts:${second.pid}: 50`).catch(() => {});
        await Promise.race([called, new Promise((resolve) => setTimeout(resolve, 2_000))]);
        await second.kill('SIGKILL');
        await first.line((line) => line === `app.ts:${second.pid} left: lost`);
      });
    });
  }
});

/** A folder for each page, with its snippets, beside the package as it is published and what else a user installs. */
async function newApp(app: string, packed: string, beside: string[]): Promise<string> {
  await mkdir(join(app, 'node_modules'));
  await cp(join(packed, 'package'), join(app, 'node_modules/app-net'), { recursive: true });
  const manifest = JSON.parse(await readFile(join(packed, 'package/package.json'), 'utf8')) as {
    dependencies?: object;
  };
  for (const name of [...beside, ...Object.keys(manifest.dependencies ?? {})]) {
    await symlink(join(REPOSITORY, 'node_modules', name), join(app, 'node_modules', name));
  }
  for (const page of Object.keys(PAGES)) {
    const folder = folderOf(app, page);
    // It is the runtime directory of its processes, too, which nobody else may read.
    await mkdir(folder, { mode: 0o700 });
    await writeFile(join(folder, 'package.json'), '{ "name": "hello", "type": "module" }');
    for (const [name, code] of await snippets(page)) await writeFile(join(folder, name), code);
  }
  return app;
}

function folderOf(app: string, page: string): string {
  return join(app, page.replace(/\W/g, '-'));
}

/** The snippets of a page, by the name of their file. */
async function snippets(page: string): Promise<Map<string, string>> {
  const text = await readFile(join(REPOSITORY, page), 'utf8');
  const found = new Map<string, string>();
  for (const [, code] of text.matchAll(/^```ts\n([\s\S]*?)^```/gm)) {
    const name = /^\/\/ ([\w-]+\.ts)\n/.exec(code!)?.[1];
    expect(name, `the first line of a snippet names its file: ${code}`).to.be.a('string');
    expect(found.has(name!), `${page} has ${name} twice`).to.equal(false);
    found.set(name!, code!);
  }
  return found;
}
