import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { REPOSITORY } from '../support/processes.ts';

describe('the types', function () {
  this.timeout(120_000);

  it('accept correct code and refuse wrong code', async () => {
    const tsc = 'node_modules/typescript/bin/tsc';
    const checked = promisify(execFile)(process.execPath, [tsc, '--noEmit'], { cwd: REPOSITORY });
    expect(
      await checked.then(
        () => '',
        ({ stdout }: { stdout: string }) => stdout,
      ),
    ).to.equal('');
  });
});
