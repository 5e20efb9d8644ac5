import { fileURLToPath } from 'node:url';

import { expect } from 'chai';

import { ownFrame, trimStack } from '../../src/base/stack.ts';

const OURS = new URL('../../src/calls/callee/dispatcher.ts', import.meta.url).href;
const OURS_AS_PATH = fileURLToPath(OURS);

describe('a stack', () => {
  for (const [how, own] of [
    ['a URL', OURS],
    ['a path', OURS_AS_PATH],
  ]) {
    it(`ends before the first frame of the library, named by ${how}`, () => {
      const stack = [
        'Error: no',
        '    at user (/app/math.ts:1:1)',
        `    at call (${own}:9:9)`,
        '    at later (/app/main.ts:2:2)',
      ];
      expect(trimStack(stack.join('\n'))).to.equal(stack.slice(0, 2).join('\n'));
    });
  }

  it('stays whole when it has no frame of the library', () => {
    const stack = 'Error: no\n    at user (/app/math.ts:1:1)\n    at node:internal/timers:1:1';
    expect(trimStack(stack)).to.equal(stack);
  });

  it('keeps a message of several lines that names the library', () => {
    const stack = `Error: first\n  see ${OURS}\n    at user (/app/math.ts:1:1)`;
    expect(trimStack(stack)).to.equal(stack);
  });

  it('keeps its message when the first frame is of the library', () => {
    expect(trimStack(`Error: no\n    at call (${OURS}:9:9)`)).to.equal('Error: no');
  });

  it('tells frames of the library apart from those of its users', () => {
    expect(ownFrame(`    at call (${OURS}:9:9)`)).to.equal(true);
    expect(ownFrame(`    at here (${import.meta.url}:9:9)`)).to.equal(false);
  });
});
