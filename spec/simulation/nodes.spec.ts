import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { needNode24 } from '../support/node-24.ts';
import { REPOSITORY } from '../support/processes.ts';

const SEEDS = 4;

async function traces(node: string): Promise<string[]> {
  const args = ['--import', 'tsx', 'spec/soak/traces.ts', '--seeds', String(SEEDS), '--each'];
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  const { stdout } = await promisify(execFile)(node, args, { cwd: REPOSITORY, env });
  return stdout.trimEnd().split('\n');
}

describe('a seed', function () {
  this.timeout(300_000);

  it('does the same on Node 24 as here', async function () {
    const [here, there] = [await traces(process.execPath), await traces(await needNode24(this))];
    expect(there.slice(0, SEEDS)).to.deep.equal(here.slice(0, SEEDS));
    expect(here).to.have.length(SEEDS + 1);
    expect(there.at(-1)).to.match(/^Node v24\./);
  });
});
