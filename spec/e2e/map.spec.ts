import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { NetError } from '../../src/index.ts';
import type { MapResult, Peer, RemoteFunction } from '../../src/index.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

const INPUTS = 10_000;
const CONCURRENCY = 16;

/** Writes down each run of its function before it answers. A write outlives the process that is killed after it. */
const WORKER = `
  import { openSync, writeSync } from 'node:fs';
  import { connect, serve } from 'app-net';
  const runs = openSync(process.env.RUNS + '.' + process.pid, 'a');
  connect('double', async (x) => {
    writeSync(runs, x + '\\n');
    await new Promise((resolve) => setImmediate(resolve));
    return x * 2;
  });
  await serve();
`;

describe('a map of 10,000 inputs over four processes, of which two are killed meanwhile', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let folder: string;
  let workers: TestProcess[];
  let peer: Peer;

  beforeEach(async () => {
    folder = await stage.folder();
    const env = { RUNS: join(folder, 'runs') };
    workers = await Promise.all(Array.from({ length: 4 }, () => processes.start(folder, WORKER, { env })));
    peer = stage.make({ runtimeDir: folder });
    await peer.peers.ready('double', { min: 4 });
  });

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  type Double = RemoteFunction<(x: number) => number>;

  /** The results, by input. Kills one process after a quarter of them, and another one after a half. */
  async function run(double: Double, ordered: boolean): Promise<Map<number, MapResult<number, number>>> {
    const results = new Map<number, MapResult<number, number>>();
    const inputs = Array.from({ length: INPUTS }, (_, index) => index);
    for await (const result of double.map(inputs, { concurrency: CONCURRENCY, ordered })) {
      expect(results.has(result.input), `two results for ${result.input}`).to.equal(false);
      if (ordered) expect(result.index).to.equal(results.size);
      results.set(result.input, result);
      if (results.size === INPUTS / 4) workers[0]!.child.kill('SIGKILL');
      if (results.size === INPUTS / 2) workers[1]!.child.kill('SIGKILL');
    }
    return results;
  }

  /** How often each input was run, in whichever process. */
  async function runs(): Promise<number[]> {
    const counts = Array.from({ length: INPUTS }, () => 0);
    for (const { pid } of workers) {
      const text = await readFile(join(folder, `runs.${pid}`), 'utf8');
      for (const line of text.trim().split('\n')) counts[Number(line)]! += 1;
    }
    return counts;
  }

  it('answers every input exactly once when the function is idempotent, in order', async () => {
    const results = await run(peer.remote('double', { idempotent: true }), true);
    expect(results.size).to.equal(INPUTS);
    for (const result of results.values()) {
      expect(result).to.include({ status: 'fulfilled', value: result.input * 2 });
    }
    const counts = await runs();
    expect(Math.min(...counts)).to.equal(1);
    // Only what the two had when they were killed was run again.
    expect(counts.filter((count) => count > 1).length).to.be.at.most(2 * CONCURRENCY);
  });

  it('tells which inputs may have run when the function is not idempotent, and runs none twice', async () => {
    const results = await run(peer.remote('double'), false);
    expect(results.size).to.equal(INPUTS);
    const lost: number[] = [];
    for (const result of results.values()) {
      if (result.status === 'fulfilled') {
        expect(result.value).to.equal(result.input * 2);
      } else {
        expect(result.reason)
          .to.be.instanceOf(NetError)
          .and.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
        lost.push(result.input);
      }
    }
    // At most the calls of the two killed workers: each had sixteen nearly all the time.
    expect(lost.length).to.be.within(1, 2 * CONCURRENCY);
    const counts = await runs();
    expect(Math.max(...counts)).to.equal(1);
    const never = [...counts.keys()].filter((input) => counts[input] === 0);
    expect(lost).to.include.members(never);
  });
});
