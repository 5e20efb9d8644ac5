import { fileURLToPath } from 'node:url';
import { runInThisContext } from 'node:vm';

import { expect } from 'chai';

import { callSite, formatCallSite } from '../../src/base/call-site.ts';
import type { CallSite } from '../../src/base/call-site.ts';

function whoCalled(): CallSite | undefined {
  return callSite(whoCalled);
}
/** As deep inside a library as one likes: the answer is who called this function. */
function outer(): CallSite | undefined {
  const inner = (): CallSite | undefined => callSite(outer);
  return inner();
}

/** Where a stack of the engine says that it was taken, source maps and all. */
function lineOfStack(stack: string): number {
  return Number(/call-site\.spec\.ts:(\d+)/.exec(stack)![1]);
}

describe('a call site', () => {
  it('names the calling file as a path', () => {
    expect(whoCalled()?.file).to.equal(fileURLToPath(import.meta.url));
    expect(outer()?.file).to.equal(fileURLToPath(import.meta.url));
  });

  it('names the line that the stack of an error would name', () => {
    const [site, error] = [whoCalled(), new Error('here')];
    expect(site?.line).to.equal(lineOfStack(error.stack!));
  });

  it('tells two calls on two lines apart', () => {
    const first = whoCalled();
    const second = whoCalled();
    expect(formatCallSite(first)).not.to.equal(formatCallSite(second));
  });

  it('restores the way stacks are made', () => {
    const before = Error.prepareStackTrace;
    const limit = Error.stackTraceLimit;
    const mine = (): string => 'mine';
    try {
      Error.prepareStackTrace = mine;
      Error.stackTraceLimit = 3;
      whoCalled();
      expect(Error.prepareStackTrace).to.equal(mine);
      expect(Error.stackTraceLimit).to.equal(3);
    } finally {
      Error.prepareStackTrace = before;
      Error.stackTraceLimit = limit;
    }
  });

  it('is found even when the user has set stacks to no lines', () => {
    const limit = Error.stackTraceLimit;
    try {
      Error.stackTraceLimit = 0;
      expect(whoCalled()?.file).to.equal(fileURLToPath(import.meta.url));
    } finally {
      Error.stackTraceLimit = limit;
    }
  });

  it('drops what loaders append to a file name, and turns URLs into paths', () => {
    const from = (filename: string): CallSite | undefined => {
      const run = runInThisContext('(who) => who()', { filename }) as (who: () => unknown) => unknown;
      return run(whoCalled) as CallSite | undefined;
    };
    expect(from('file:///app/a%20b.ts?t=123')?.file).to.equal('/app/a b.ts');
    expect(from('/app/math.ts?namespace=1')?.file).to.equal('/app/math.ts');
    expect(from('/app/math.ts?t=1')?.query).to.equal('?t=1');
    expect(from('/app/math.ts')?.query).to.equal(undefined);
    expect(from('[eval]')?.file).to.equal('[eval]');
  });

  it('is unknown when the function is not being called', () => {
    expect(callSite(() => {})).to.equal(undefined);
  });

  it('is written in the form that editors can follow', () => {
    expect(formatCallSite({ file: '/app/math.ts', line: 3, column: 7 })).to.equal('/app/math.ts:3:7');
    expect(formatCallSite(undefined)).to.equal('an unknown place');
  });
});
