import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';

import { expect } from 'chai';

import { processorWait } from '../../src/base/process/processor-wait.ts';
import { needLinux } from '../support/need.ts';

describe('the wait of another process for a processor', () => {
  it('is told by Linux, for a process of this host that lives', async function () {
    needLinux(this);
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
    await once(child, 'spawn');
    const before = processorWait(child.pid!, hostname());
    expect(before).to.be.at.least(0);
    expect(processorWait(child.pid!, hostname())).to.be.at.least(before!);
    expect(processorWait(child.pid!, 'another-host')).to.equal(undefined);
    expect(processorWait(process.pid, hostname())).to.equal(undefined);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(processorWait(child.pid!, hostname())).to.equal(undefined);
  });
});
