import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { needNode24 } from '../support/node-24.ts';
import { Stage } from '../support/peers.ts';
import { Processes, REPOSITORY } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

/** Not a dependency of the repository: see bundles.spec.ts. */
const VITE = 'vite@8';

/** Names its listeners, and tells at the end which of them are left. */
const HELP = `
  import { event } from 'app-net';
  const all = new Map();
  export const done = event('job.done');
  export const keep = (name, subscription) => all.set(name, subscription);
  export const left = () => [...all].filter(([, { active }]) => active).map(([name]) => name).sort().join(' ');
  export const counter = { value: 0 };
`;

/** Every way to listen of a module. Its name is the number of the evaluation. */
const HOT = `
  import { AsyncLocalStorage } from 'node:async_hooks';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { counter, done, keep } from './help.js';
  const mine = (counter.value += 1);
  const listen = (name) => keep(mine + name, done.subscribe(() => {}));
  listen('helper');
  for (const name of ['loop1', 'loop2']) listen(name);
  for (const name of ['await1', 'await2']) { await sleep(1); keep(mine + name, done.subscribe(() => {})); }
  export const later = () => listen('later' + Math.random());
  setTimeout(() => listen('timer'), 1);
  const storage = new AsyncLocalStorage();
  for (const name of ['run1', 'run2']) { await sleep(2); storage.run(name, () => listen(name)); }
  await Promise.all(['all1', 'all2'].map(async (name) => { await sleep(1); listen(name); }));
`;

/** Listeners of the top level, which a later evaluation replaces. */
const TOP = ['await1', 'await2', 'helper', 'loop1', 'loop2'];
/** Vite has one context of each evaluation, which ends in these two. So they stay, as those that begin later do. */
const ELSEWHERE = ['all1', 'all2', 'run1', 'run2'];

const named = (evaluation: number, ...names: string[]): string[] =>
  names.map((name) => `${evaluation}${name}`);
const sorted = (...names: string[]): string => names.toSorted().join(' ');

const NODES = { 'this Node': () => process.execPath, 'Node 24': needNode24 };

for (const [title, need] of Object.entries(NODES))
  describe(`a module that is evaluated again, on ${title}`, function () {
    this.timeout(120_000);
    const stage = new Stage();
    const processes = new Processes();
    let app: string;
    let node: string;

    before(async function () {
      node = await need(this);
      app = await stage.folder();
      const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' };
      const packing = ['pack', '--ignore-scripts', '--silent', '--pack-destination', app];
      const { stdout } = await promisify(execFile)('npm', packing, { cwd: REPOSITORY, env });
      await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'my-app', type: 'module' }));
      const flags = ['--silent', '--no-audit', '--no-fund', '--prefer-offline'];
      await promisify(execFile)('npm', ['install', ...flags, `./${stdout.trim()}`, VITE], { cwd: app, env });
      await writeFile(join(app, 'help.js'), HELP);
      await writeFile(join(app, 'hot.js'), HOT);
    });

    afterEach(() => processes.clear());
    after(() => stage.clear());

    async function run(script: string): Promise<TestProcess> {
      await writeFile(join(app, 'run.js'), script);
      const running = processes.run(app, ['run.js'], {}, node);
      expect(await running.exited, running.errors).to.equal(0);
      return running;
    }

    describe('connects', () => {
      const again = (first: string, second: string): string => `
      import { writeFileSync } from 'node:fs';
      const text = (n) => "import { connect } from 'app-net'; connect('hot', () => " + n + "); connect(function named() {});";
      writeFileSync('functions.js', text(1));
      writeFileSync('other.js', text(2));
      await import('./functions.js${first}');
      await import('./${second}').then(() => console.log('replaced'), (error) => console.log(error.message));`;

      it('its functions in the place of the earlier ones', async () => {
        expect((await run(again('', 'functions.js?t=1'))).lines).to.deep.equal(['replaced']);
      });

      it('no tag that another module has', async () => {
        const message = /two functions are connected as hot: one at .*functions\.js.*other\.js/;
        expect((await run(again('', 'other.js'))).lines[0]).to.match(message);
      });
    });

    it('puts its hooks and its listeners of peers in the place of the earlier ones', async () => {
      await writeFile(
        join(app, 'hooks.js'),
        `import { peers, use } from 'app-net';
         const mine = (globalThis.count = (globalThis.count ?? 0) + 1);
         for (const name of ['a', 'b']) use((call, next) => { globalThis.seen.push(mine + name); return next(); });
         peers.on('join', () => globalThis.seen.push(mine + 'join'));
         peers.of({ group: '*' }).on('join', () => globalThis.seen.push(mine + 'any'));`,
      );
      const { lines } = await run(`
        import { createPeer, peers, stop, use } from 'app-net';
        globalThis.seen = [];
        await import('./hooks.js?t=1');
        use((call, next) => { globalThis.seen.push('c'); return next(); });
        await import('./hooks.js?t=2');
        const other = createPeer();
        other.connect('echo', (value) => value);
        await other.start();
        const [there] = await peers.ready('echo');
        await there.call('echo', [1]);
        console.log(globalThis.seen.join(' '));
        await Promise.all([other.stop(), stop()]);`);
      expect(lines).to.deep.equal(['2join 2any 2a 2b c']);
    });

    describe('and listens', () => {
      it('ends what its earlier evaluation began, when a number in its query has grown', async () => {
        const { lines } = await run(`
        import { left } from './help.js';
        const { later } = await import('./hot.js?t=9');
        later();
        await import('./hot.js?t=10');
        console.log(left());`);
        const kept = String(lines[0]).replace(/1later[\d.]+ /, '');
        expect(kept).to.equal(sorted('1timer', '2timer', ...named(2, ...TOP, ...ELSEWHERE)));
      });

      it('keeps all when it is imported under two names', async () => {
        const { lines } = await run(`
        import { left } from './help.js';
        await import('./hot.js?a');
        await import('./hot.js?b');
        console.log(left());`);
        const both = ['timer', ...TOP, ...ELSEWHERE];
        expect(lines[0]).to.equal(sorted(...named(1, ...both), ...named(2, ...both)));
      });

      it('ends what its earlier evaluation began when it is required again', async () => {
        await writeFile(
          join(app, 'hot.cjs'),
          `'use strict';
         const { keep, done, counter } = globalThis.help;
         const mine = (counter.value += 1);
         for (const name of ['loop1', 'loop2']) keep(mine + name, done.subscribe(() => {}));
         exports.later = () => keep(mine + 'later', done.subscribe(() => {}));`,
        );
        const { lines } = await run(`
        import { createRequire } from 'node:module';
        import * as help from './help.js';
        globalThis.help = help;
        const require = createRequire(import.meta.url);
        require('./hot.cjs').later();
        await new Promise(setImmediate);
        delete require.cache[require.resolve('./hot.cjs')];
        require('./hot.cjs').later();
        console.log(help.left());`);
        expect(lines[0]).to.equal('1later 2later 2loop1 2loop2');
      });

      it('ends a loop that its earlier evaluation began, and no event is lost', async () => {
        await writeFile(
          join(app, 'stream.js'),
          `import { event } from 'app-net';
         const mine = (globalThis.count = (globalThis.count ?? 0) + 1);
         const read = async () => {
           for await (const { payload } of event('row').stream()) {
             console.log(mine + ' got ' + payload);
             if (payload === 'c') globalThis.hasC();
           }
           console.log(mine + ' is over');
         };
         read();`,
        );
        const { lines } = await run(`
        import { configure, createPeer, event, stop } from 'app-net';
        import { MemoryNetwork } from 'app-net/testing';
        const network = new MemoryNetwork();
        configure({ network });
        const emitter = await createPeer({ network }).start();
        await import('./stream.js?v=1');
        const row = emitter.event('row');
        await row.ready();
        row.emit('a');
        row.emit('b');
        await row.drained();
        await import('./stream.js?v=2');
        const arrived = new Promise((resolve) => (globalThis.hasC = resolve));
        row.emit('c');
        await arrived;
        await emitter.stop();
        await stop();`);
        expect(lines).to.include('1 is over').and.to.include('2 got c');
        expect(
          lines.filter((line) => String(line).includes('got')).map((line) => String(line).at(-1)),
        ).to.deep.equal(['a', 'b', 'c']);
      });
    });

    it('replaces functions and listeners in the development server of Vite, with the same derived tags', async () => {
      await writeFile(
        join(app, 'functions.js'),
        "import { connect } from 'app-net'; export const named = connect(function named() {});",
      );
      const { lines } = await run(`
      import { createServer } from 'vite';
      const server = await createServer({
        configFile: false, root: process.cwd(), logLevel: 'error', appType: 'custom',
        server: { middlewareMode: true, ws: false, watch: null }, optimizeDeps: { noDiscovery: true },
      });
      const { named } = await server.ssrLoadModule('/functions.js');
      const { left } = await server.ssrLoadModule('/help.js');
      const { later } = await server.ssrLoadModule('/hot.js');
      later();
      for (const file of ['functions.js', 'hot.js'])
        server.moduleGraph.onFileChange(process.cwd() + '/' + file);
      const again = await server.ssrLoadModule('/functions.js');
      await server.ssrLoadModule('/hot.js');
      console.log(Buffer.from(named.tag, 'base64url').toString(), again.named !== named);
      console.log(left());
      await server.close();`);
      expect(lines[0]).to.equal('my-app/functions.named true');
      const kept = String(lines[1]).replace(/1later[\d.]+ /, '');
      const always = ['timer', ...ELSEWHERE];
      expect(kept).to.equal(sorted(...named(1, ...always), ...named(2, ...always, ...TOP)));
    });
  });
