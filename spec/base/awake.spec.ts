import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { afterAwake } from '../../src/base/time/awake.ts';

describe('a timer of awake time', () => {
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

  it('fires like any timer while nothing blocks the process', () => {
    start();
    pass(950);
    expect(called).to.deep.equal([]);
    pass(5_000);
    expect(called).to.deep.equal([1_000]);
  });

  it('counts a stall of the process, however long, as at most a quarter of its time', () => {
    start();
    pass(200);
    clock.increment(60_000);
    pass(700);
    expect(called).to.deep.equal([]);
    pass(50);
    expect(called).to.have.length(1);
  });

  it('does not fire after it was stopped', () => {
    const stop = start();
    pass(600);
    stop();
    pass(5_000);
    expect(called).to.deep.equal([]);
  });
});
