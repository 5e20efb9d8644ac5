import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { afterAwake } from '../../src/base/awake.ts';

describe('time that a process is awake', () => {
  let clock: SimulatedClock;
  let called: number[];
  const start = (): (() => void) => afterAwake(clock, 1_000, () => called.push(clock.now()));
  const pass = (milliseconds: number): void => {
    for (let left = milliseconds; left > 0; left -= 50) clock.increment(50);
  };

  beforeEach(() => {
    clock = new SimulatedClock();
    called = [];
  });

  it('passes as time does while nothing holds the process up', () => {
    start();
    pass(950);
    expect(called).to.deep.equal([]);
    pass(5_000);
    expect(called).to.deep.equal([1_000]);
  });

  it('passes by a quarter at the most while the process does not run, however long', () => {
    start();
    pass(200);
    clock.increment(60_000);
    pass(700);
    expect(called).to.deep.equal([]);
    pass(50);
    expect(called).to.have.length(1);
  });

  it('is not waited for any more once that is said', () => {
    const stop = start();
    pass(600);
    stop();
    pass(5_000);
    expect(called).to.deep.equal([]);
  });
});
