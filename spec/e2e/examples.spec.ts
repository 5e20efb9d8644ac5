import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { needNode24 } from '../support/node-24.ts';
import { Processes, REPOSITORY } from '../support/processes.ts';

describe('the examples', function () {
  this.timeout(120_000);
  const processes = new Processes();
  const runExample = async (...args: string[]): Promise<{ code: number | NodeJS.Signals; text: string }> => {
    const example = processes.run(REPOSITORY, ['--import', 'tsx', ...args], { APP_NET_RUNTIME_DIR: '' });
    const code = await example.exited;
    return { code, text: `${example.lines.join('\n')}\n${example.errors}` };
  };

  afterEach(() => processes.clear());

  it('01-multiply: two processes call each other, and one notices that the other ends', async () => {
    const { code, text } = await runExample('examples/01-multiply/main.ts');
    expect(code, text).to.equal(0);
    expect(text.match(/multiplyValues\(5, 10\) = 50, run in process/g)).to.have.length(2);
    expect(text.match(/RangeError: -1 has no real square root/g)).to.have.length(2);
    expect(text).to.match(/left \(lost\)/);
  });

  it('02-join-leave: three peers join, and two crash', async () => {
    const { code, text } = await runExample('examples/02-join-leave/main.ts');
    expect(code, text).to.equal(0);
    expect(text).to.include('- ada: lost');
  });

  it('03-inspect: the test that a user writes', async () => {
    const mocha = 'node_modules/mocha/bin/mocha.js';
    const { code, text } = await runExample(mocha, '--no-config', 'examples/03-inspect/inspect.spec.ts');
    expect(code, text).to.equal(0);
    expect(text).to.include('4 passing');
  });

  it('04-streams: a log is followed, and a file is sent', async () => {
    const { code, text } = await runExample('examples/04-streams/main.ts');
    expect(code, text).to.equal(0);
    expect(text).to.include('(there) nobody follows app.log any more').and.to.include('stored main.ts');
  });

  it('05-map: three processes share the work, one crashes, one joins', async () => {
    const { code, text } = await runExample('examples/05-map/main.ts');
    expect(code, text).to.equal(0);
    expect(text).to.match(/283146 primes below 4000000, counted by [34] processes/);
  });

  it('06-cancel: a function stops when its caller no longer waits', async () => {
    const { code, text } = await runExample('examples/06-cancel/main.ts');
    expect(code, text).to.equal(0);
    expect(text).to.include('(there) stopped: the deadline passed, and the caller no longer waits');
  });

  it('07-events: three workers get tasks, and the main process listens to two of them', async () => {
    const { code, text } = await runExample('examples/07-events/main.ts');
    expect(code, text).to.equal(0);
    expect(text).to.include('job 3 for 3 workers').and.to.include('grace of gpu has done job 3');
    expect(text).not.to.include('linus');
  });

  it('10-threads: another process computes in threads, and answers in the meantime', async () => {
    const { code, text } = await runExample('examples/10-threads/main.ts');
    expect(code, text).to.equal(0);
    expect(text).to.include('148933 primes').and.to.include('its thread was ended');
  });

  it('11-simulation: a simulation finds the bug of a bank, and none in the bank without it', async () => {
    const { code, text } = await runExample('examples/11-simulation/main.ts');
    expect(code, text).to.equal(0);
    expect(text).to.match(/seed \d+ fails .*: Error: \d+ cents were paid, and the bank has \d+/);
    expect(text).to.include('The fewest faults').and.to.include('no cent lost');
  });

  it('08-lan: peers with the secret find each other, and a peer with another secret finds nobody', async () => {
    const { code, text } = await runExample('examples/08-lan/main.ts');
    expect(code, text).to.equal(0);
    expect(text).to.include('careless: lan: true opens this peer to the network, and there is no secret');
    expect(text).to.include('ada: grace has left (lost)');
  });
});

describe('the test examples', function () {
  this.timeout(180_000);
  const processes = new Processes();
  const folder = 'examples/09-test';
  const runTests = async (
    args: string[],
    node?: string,
    environment?: Record<string, string>,
  ): Promise<{ code: number | NodeJS.Signals; text: string }> => {
    const tests = processes.run(REPOSITORY, args, { APP_NET_RUNTIME_DIR: '', ...environment }, node);
    const code = await tests.exited;
    return { code, text: `${tests.lines.join('\n')}\n${tests.errors}` };
  };

  afterEach(() => processes.clear());

  it('are the code that the guide shows', async () => {
    const guide = await readFile(join(REPOSITORY, 'docs/guides/test-code-that-calls-peers.md'), 'utf8');
    for (const file of ['shop.ts', 'network.ts']) {
      const code = await readFile(join(REPOSITORY, folder, file), 'utf8');
      // The comment at the top stands in the text of the guide.
      expect(guide).to.include(code.slice(code.indexOf('import ')));
    }
  });

  it('run in mocha', async () => {
    const mocha = ['node_modules/mocha/bin/mocha.js', '--no-config', '--node-option', 'import=tsx'];
    const { code, text } = await runTests([...mocha, `${folder}/mocha.spec.ts`]);
    expect(code, text).to.equal(0);
    expect(text).to.include('8 passing');
  });

  it('run in node:test', async () => {
    const { code, text } = await runTests(['--import', 'tsx', '--test', `${folder}/node.test.ts`]);
    expect(code, text).to.equal(0);
    expect(text).to.match(/pass 2\b/);
  });

  it('run in node:test of Node 24 without tsx', async function () {
    const node = await needNode24(this);
    const { code, text } = await runTests(['--test', `${folder}/node.test.ts`], node);
    expect(code, text).to.equal(0);
    expect(text).to.match(/pass 2\b/);
  });

  it('run in vitest', async () => {
    const { code, text } = await runTests([
      'node_modules/vitest/vitest.mjs',
      'run',
      `${folder}/vitest.test.js`,
    ]);
    expect(code, text).to.equal(0);
    expect(text).to.match(/2 passed/);
  });

  it('with a simulation run in mocha, node:test and vitest, and on Node 24 without tsx', async function () {
    const node = await needNode24(this);
    const simulation = 'examples/11-simulation';
    const guide = await readFile(join(REPOSITORY, 'docs/guides/test-against-a-broken-network.md'), 'utf8');
    const bank = await readFile(join(REPOSITORY, simulation, 'bank.ts'), 'utf8');
    for (const name of ['careless', 'careful', 'pay']) {
      const code = new RegExp(`^export (async )?function ${name}\\b[^]*?^}$`, 'm').exec(bank)![0];
      expect(guide).to.include(code);
    }
    const few = { SIM_SEEDS: '5' };
    const mocha = ['node_modules/mocha/bin/mocha.js', '--no-config', '--node-option', 'import=tsx'];
    const ends = await Promise.all([
      runTests([...mocha, `${simulation}/mocha.spec.ts`], undefined, few),
      runTests(['--import', 'tsx', '--test', `${simulation}/node.test.ts`], undefined, few),
      runTests(['--test', `${simulation}/node.test.ts`], node, few),
      runTests(['node_modules/vitest/vitest.mjs', 'run', `${simulation}/vitest.test.js`], undefined, few),
    ]);
    for (const { code, text } of ends) expect(code, text).to.equal(0);
  });
});
