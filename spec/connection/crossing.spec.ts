import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { CrossingLinks } from '../../src/connection/crossing.ts';
import type { Link } from '../../src/connection/link/link.ts';
import type { EventFrame } from '../../src/wire/frames.ts';

const frame = (sequence: number): EventFrame => ({ type: 'event', name: 'tick', sequence });

describe('frames of events on two links of one pair', () => {
  let taken: string[];
  let clock: SimulatedClock;
  let crossing: CrossingLinks;
  const record = {} as Link['record'];

  const link = (dialled: boolean, generation = 0): Link => {
    const made = { record, dialled, generation, leaving: undefined, otherLeaving: undefined };
    crossing.opened(made as unknown as Link);
    return made as unknown as Link;
  };
  const goaway = (each: Link): void => {
    each.otherLeaving = 'duplicate';
    crossing.left(each);
  };

  beforeEach(() => {
    taken = [];
    clock = new SimulatedClock();
    crossing = new CrossingLinks(
      clock,
      (_, frames) => taken.push(...frames.map((each) => String((each as EventFrame).sequence))),
      (each) => {
        taken.push('overdue');
        crossing.release(each);
      },
    );
  });

  /** Two that crossed; the second stays, and the other side does not know it yet. */
  function crossed(generation = 0): [Link, Link] {
    const [first, second] = [link(true), link(false, generation)];
    first.leaving = 'duplicate';
    return [first, second];
  }

  it('are delivered as they arrive while there is only one link', () => {
    const only = link(true);
    crossing.frames(only, [frame(1), frame(2)]);
    crossing.frames(only, [frame(3)]);
    expect(taken).to.deep.equal(['1', '2', '3']);
  });

  it('wait on the surviving link for the goaway on the other, whose frames are delivered at once', () => {
    const [first, second] = crossed();
    crossing.frames(second, [frame(3)]);
    crossing.frames(first, [frame(1)]);
    crossing.frames(second, [frame(4), frame(5)]);
    crossing.frames(first, [frame(2)]);
    expect(taken).to.deep.equal(['1', '2']);
    goaway(first);
    crossing.frames(second, [frame(6)]);
    expect(taken).to.deep.equal(['1', '2', '3', '4', '5', '6']);
  });

  it('stop waiting when the other link has closed', () => {
    const [first, second] = crossed();
    crossing.frames(second, [frame(1)]);
    crossing.closed(first);
    expect(taken).to.deep.equal(['1']);
  });

  it('are delivered when their own link closes while they wait', () => {
    const [, second] = crossed();
    crossing.frames(second, [frame(1)]);
    crossing.closed(second);
    expect(taken).to.deep.equal(['1']);
  });

  it('do not wait when the other side has already said goaway', () => {
    const [first, second] = crossed();
    goaway(first);
    crossing.frames(second, [frame(1)]);
    expect(taken).to.deep.equal(['1']);
  });

  it('do not wait for a link that was given up for the one that they arrive on', () => {
    const [, second] = crossed(1);
    crossing.frames(second, [frame(1)]);
    expect(taken).to.deep.equal(['1']);
  });

  it('wait for at most a second', () => {
    const [first, second] = crossed();
    crossing.frames(second, [frame(1)]);
    clock.increment(999);
    expect(taken).to.deep.equal([]);
    clock.increment(1);
    expect(taken).to.deep.equal(['overdue', '1']);
    goaway(first);
    expect(taken).to.deep.equal(['overdue', '1']);
  });

  it('wait in bounded numbers', () => {
    const [, second] = crossed();
    for (let n = 1; n <= 1_025; n += 1) crossing.frames(second, [frame(n)]);
    expect(taken).to.have.length(1_025);
  });

  it('stop waiting when the peer stops', () => {
    const [, second] = crossed();
    crossing.frames(second, [frame(1)]);
    crossing.stop();
    clock.increment(5_000);
    expect(taken).to.deep.equal([]);
  });
});
