import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import type { Peer, RemoteFunction } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { LIBRARY, Processes } from '../support/processes.ts';

/** A thread waits for the file that `GATE` names before it has loaded this one. */
const FUNCTIONS = `
import { connect } from 'app-net';
import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const gate = process.env.GATE;
if (!isMainThread && gate) {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(gate)) Atomics.wait(cell, 0, 0, 20);
}
connect('work', () => {
  const end = performance.now() + 5;
  while (performance.now() < end);
  return process.pid;
}, { threads: 2 });
`;

const SERVE = `
import './functions.mjs';
import { serve } from 'app-net';
await serve();
`;

type Work = RemoteFunction<() => number>;

describe('a worker whose threads still load their file', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let folder: string;
  let gate: string;
  let caller: Peer;
  let work: Work;

  beforeEach(async () => {
    folder = await stage.folder();
    gate = join(folder, 'gate');
    await writeFile(join(folder, 'functions.mjs'), FUNCTIONS.replaceAll("'app-net'", `'${LIBRARY}'`));
    caller = await stage.make({ name: 'caller', runtimeDir: folder }).start();
    work = caller.remote<() => number>('work');
    await Promise.all([1, 2].map(() => processes.start(folder, SERVE)));
    await caller.peers.ready(work, { min: 2 });
    // So long that every worker was called, and has told what it can run.
    const all = Array.from({ length: 20 }, () => work.any()());
    await Promise.all(all);
  });
  afterEach(async () => {
    await writeFile(gate, '');
    await processes.clear();
    await stage.clear();
  });

  const fresh = async (): Promise<number> => {
    const { pid } = await processes.start(folder, SERVE, { env: { GATE: gate } });
    await caller.peers.ready(work, { min: 3 });
    return pid;
  };

  it('gets no more calls of `any` than it has threads', async () => {
    let answered = 0;
    let isOver = false;
    const answers = new Map<number, number>();
    /** How many calls had been answered when the present call of each loop began. */
    const begun = Array.from({ length: 6 }, () => 0);
    const loops = begun.map(async (_, loop) => {
      while (!isOver) {
        begun[loop] = answered;
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const pid = await work.any({}, { deadline: 60_000 })();
        answered += 1;
        answers.set(pid, (answers.get(pid) ?? 0) + 1);
      }
    });
    const pid = await fresh();
    const since = answered;
    await eventually(() => answered > since + 300, 40_000);
    const stuck = begun.filter((at) => answered - at > 100);
    expect(stuck.length).to.be.at.most(2);
    expect(answers.has(pid)).to.equal(false);
    await writeFile(gate, '');
    await eventually(() => (answers.get(pid) ?? 0) > 20, 40_000);
    isOver = true;
    await Promise.all(loops);
  });

  it('gets no more inputs of `map` than it has threads', async () => {
    await fresh();
    const inputs = Array.from({ length: 100 }, (_, n) => n);
    let results = 0;
    for await (const { status } of work.map(inputs, { args: () => [], deadline: 60_000 })) {
      expect(status).to.equal('fulfilled');
      results += 1;
      // Only what waits for the new worker is not done.
      if (results === inputs.length - 2) await writeFile(gate, '');
    }
    expect(results).to.equal(inputs.length);
  });
});
