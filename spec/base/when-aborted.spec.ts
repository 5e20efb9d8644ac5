import { getEventListeners } from 'node:events';

import { expect } from 'chai';

import { whenAborted } from '../../src/base/time/when-aborted.ts';

describe('the watch of a signal', () => {
  let controller: AbortController;
  let told: unknown[];

  beforeEach(() => {
    controller = new AbortController();
    told = [];
  });

  const listener = (reason: unknown): void => void told.push(reason);
  const count = (): number => getEventListeners(controller.signal, 'abort').length;

  it('tells each watcher once, with the reason', () => {
    whenAborted(controller.signal, listener);
    whenAborted(controller.signal, listener);
    controller.abort('enough');
    expect(told).to.deep.equal(['enough', 'enough']);
  });

  it('tells nobody that has ended its watch, not even while it is telling', () => {
    whenAborted(controller.signal, listener)();
    const ends: (() => void)[] = [];
    whenAborted(controller.signal, () => ends[0]!());
    ends.push(whenAborted(controller.signal, listener));
    controller.abort();
    expect(told).to.deep.equal([]);
  });

  it('adds one listener to the signal for any number of watchers, and none without a watcher', () => {
    const ends = Array.from({ length: 1_000 }, () => whenAborted(controller.signal, listener));
    expect(count()).to.equal(1);
    for (const end of ends) end();
    expect(count()).to.equal(0);
    // To end it twice ends nobody else's.
    whenAborted(controller.signal, listener);
    ends[0]!();
    expect(count()).to.equal(1);
    controller.abort(1);
    expect(told).to.deep.equal([1]);
  });
});
