import { expect } from 'chai';

import { callsThroughCuts } from '../soak/calls-through-cuts.ts';
import { connects, expectNothingLeft } from '../soak/connects.ts';
import { frozen } from '../soak/frozen.ts';
import { restarts } from '../soak/restarts.ts';
import { saturated } from '../soak/saturated.ts';

/** The short forms of `npm run soak`. */

describe('liveness with real processes and sockets', function () {
  this.timeout(120_000);

  it('reports a stopped or a blocked process, while that process sees nobody leave; busy cores alone raise no doubt', async () => {
    // Beside each other, since they mostly wait.
    const [{ stopped, blocked }, { leaves, worstLag }] = await Promise.all([
      frozen(3, 11_000),
      saturated(3, 10_000),
    ]);
    console.log(
      `      stopped: leave after ${stopped.leave} ms (${stopped.evidence}), join ${stopped.rejoin} ms after it went on; ` +
        `blocked: ${blocked.leave} ms and ${blocked.rejoin} ms; own lag up to ${worstLag.toFixed()} ms`,
    );
    expect(stopped.leave).to.be.below(10_000);
    expect(blocked.leave).to.be.below(10_000);
    for (const freeze of [stopped, blocked]) {
      expect(freeze.rejoin).to.be.below(5_000);
      expect(freeze.ownLeaves).to.deep.equal([]);
      expect(freeze.joins).to.deep.equal(freeze.joins.map(() => 1));
    }
    expect(leaves).to.deep.equal([]);
  });

  it('reports a leave before the join when a process restarts on its port, and no handle reaches the new process', async () => {
    const [other, same] = await Promise.all([restarts(2, undefined), restarts(2, 'always-the-same')]);
    expect(other.broken).to.deep.equal([]);
    expect(same.broken).to.deep.equal([]);
  });

  it('settles each call once through thirty cuts, and runs it at most once', async () => {
    const tally = await callsThroughCuts(30_000, 30, 20_260_101);
    console.log(`      ${JSON.stringify(tally)}`);
    expect(tally.broken).to.deep.equal([]);
    expect(tally.cuts).to.equal(30);
    expect(tally.succeeded).to.be.greaterThan(10_000);
  });

  it('leaves no file, timer, socket or listener of a peer that has left', async () => {
    const { before, after } = await connects(60);
    expectNothingLeft(before, after);
  });
});
