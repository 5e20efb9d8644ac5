import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { Stage } from '../support/peers.ts';
import { LIBRARY, Processes } from '../support/processes.ts';

const isSoak = process.env['SOAK'] !== undefined;

/** Calls of the story below. `npm run soak` runs the long one. */
const CALLS = isSoak ? 100_000 : 3_000;

/** Each call writes its number to a file when its function begins, so that it is known afterwards what ran. */
const FUNCTIONS = `
import { connect } from 'app-net';
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const log = openSync(process.env.BEGUN, 'a');
const spin = (ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};
export const work = connect('work', async (n, kind) => {
  writeSync(log, n + '\\n');
  if (kind === 'crash') process.exit(1);
  if (kind === 'spin') spin(3);
  if (kind === 'stuck') spin(600_000);
  if (kind === 'sleep') await sleep(2);
  return n;
}, { threads: 3, kill: 20, queue: 100_000 });
`;

const CHAOS = `
import { configure, peers, remote, stop } from 'app-net';
const calls = Number(process.env.CALLS);
let seed = 7;
const random = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
const work = remote('work');
const [peer] = await peers.ready(work);
const outcomes = {};
let [next, late] = [0, 0];
const one = async (n) => {
  const dice = random();
  const kind = dice < 0.0005 ? 'crash' : dice < 0.003 ? 'stuck' : dice < 0.05 ? 'spin' : dice < 0.1 ? 'sleep' : '';
  const cancel = new AbortController();
  const options = { signal: cancel.signal, deadline: kind === 'stuck' || random() < 0.05 ? 1 + random() * 40 : 300_000 };
  if (random() < 0.1) setTimeout(() => cancel.abort(new Error('cancelled')), random() * 5);
  let settled = 0;
  const name = await work.on(peer, options)(n, kind).then(
    (value) => (value === n ? 'value' : 'wrong value'),
    (error) => (error.message === 'cancelled' ? 'cancelled' : error.code + ' ' + error.ran),
  ).finally(() => (settled += 1));
  if (settled !== 1) throw new Error('settled ' + settled + ' times');
  (outcomes[name] ??= []).push(n);
  if (name.startsWith('OVERLOADED')) await new Promise((resolve) => setTimeout(resolve, 100));
};
await Promise.all(Array.from({ length: 64 }, async () => {
  while (next < calls) await one(next++);
}));
console.log(JSON.stringify({ outcomes }));
await stop();
`;

describe('threads under attack', () => {
  const stage = new Stage();
  const processes = new Processes();

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  it('settle every call once, and never tell a wrong `ran`', async () => {
    const folder = await stage.folder();
    const begun = join(folder, 'begun');
    await writeFile(begun, '');
    await writeFile(join(folder, 'functions.mjs'), FUNCTIONS.replaceAll("'app-net'", `'${LIBRARY}'`));
    const serve = `
      import './functions.mjs';
      import { serve } from 'app-net';
      const look = () => console.log(JSON.stringify({ handles: process.getActiveResourcesInfo().filter((each) => each === 'MessagePort').length, rss: process.memoryUsage.rss() }));
      process.on('SIGUSR2', look);
      await serve();`;
    const server = await processes.start(folder, serve, { env: { BEGUN: begun, NODE_NO_WARNINGS: '1' } });
    const caller = await processes.start(folder, CHAOS, { env: { CALLS: String(CALLS) } });
    expect(await caller.exited, caller.errors).to.equal(0);
    const [{ outcomes }] = caller.lines as [{ outcomes: Record<string, number[]> }];

    const ran = (await readFile(begun, 'utf8')).trim().split('\n').map(Number);
    const once = new Set(ran);
    expect(once.size, 'a function ran twice').to.equal(ran.length);
    expect(Object.values(outcomes).flat()).to.have.length(CALLS);
    expect(outcomes).not.to.have.property('wrong value');
    for (const [name, numbers] of Object.entries(outcomes)) {
      if (name === 'value' || name.endsWith(' yes')) {
        expect(
          numbers.filter((n) => !once.has(n)),
          `${name}, and did not run`,
        ).to.deep.equal([]);
      } else if (name.endsWith(' no')) {
        expect(
          numbers.filter((n) => once.has(n)),
          `${name}, and ran`,
        ).to.deep.equal([]);
      }
    }
    expect(Object.keys(outcomes)).to.include.members(['value', 'cancelled', 'DEADLINE_EXCEEDED unknown']);
    if (isSoak) {
      console.log(Object.entries(outcomes).map(([name, { length }]) => [name, length]));
      server.child.kill('SIGUSR2');
      console.log(await server.line<{ handles: number }>(({ handles }) => handles !== undefined));
    }
  }).timeout(isSoak ? 600_000 : 60_000);

  it('do a queue of jobs: each once, although a worker is killed, and none is missed for its silence', async () => {
    const folder = await stage.folder();
    const functions = `
      import { connect } from 'app-net';
      import { appendFileSync } from 'node:fs';
      export const job = connect('job', (n) => {
        const end = performance.now() + 1_200;
        while (performance.now() < end);
        appendFileSync('done', n + '\\n');
        return n;
      }, { threads: 1 });`;
    await writeFile(join(folder, 'functions.mjs'), functions.replaceAll("'app-net'", `'${LIBRARY}'`));
    // A process that computes this long itself would be given up after 0.8 s.
    const settings = 'ping: 150, suspect: 600';
    const worker = `
      import { configure } from 'app-net';
      configure({ ${settings} });
      await import('./functions.mjs');
      const { serve } = await import('app-net');
      await serve();`;
    const workers = await Promise.all(Array.from({ length: 3 }, () => processes.start(folder, worker)));
    const api = await processes.start(
      folder,
      `
      import { configure, peers, remote, stop } from 'app-net';
      configure({ ${settings} });
      const job = remote('job');
      const left = [];
      peers.on('leave', (peer, why) => left.push(why));
      await peers.ready(job, { min: 3 });
      const calls = Array.from({ length: 9 }, (_, n) => job.any({}, { deadline: 60_000 })(n).then(
        (value) => ['done', value],
        ({ code, ran }) => [code, n, ran],
      ));
      console.log('[0]');
      const outcomes = await Promise.all(calls);
      console.log(JSON.stringify({ outcomes, left }));
      await stop();`,
    );
    await api.line((line) => Array.isArray(line));
    await workers[0]!.kill();
    expect(await api.exited, api.errors).to.equal(0);
    const { outcomes, left } = api.lines.at(-1) as { outcomes: [string, number, string?][]; left: string[] };
    expect(left).to.deep.equal(['lost']);
    const done = (await readFile(join(folder, 'done'), 'utf8')).trim().split('\n').map(Number);
    expect(new Set(done).size, 'a job was done twice').to.equal(done.length);
    for (const [how, n, ran] of outcomes) {
      if (how === 'done') expect(done).to.include(n);
      else expect([how, ran]).to.deep.equal(['CONNECTION_LOST', 'unknown']);
    }
    expect(outcomes.filter(([how]) => how === 'done').length).to.be.at.least(5);
  }).timeout(120_000);
});
