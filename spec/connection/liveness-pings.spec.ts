import { expect } from 'chai';
import { SimulatedClock, createActor } from 'xstate';

import type { Link } from '../../src/connection/link/link.ts';
import { createLivenessLogic } from '../../src/connection/liveness.ts';

describe('a peer that stays silent for a long time', () => {
  /** When a peer of this host counts as silent, in ms, if its process waits for a processor this much of the time. */
  function silentAfter(share: number): number {
    const clock = new SimulatedClock();
    let silentAt = NaN;
    const link = {
      ...{ silentLooks: 0, suspect: false, record: { scope: 'host', pid: 1, host: 'here' } },
      ...{ socket: { received: 0, ping: () => {} }, owner: { silent: () => (silentAt = clock.now()) } },
    } as unknown as Link;
    const waited = (): number => clock.now() * share;
    const logic = createLivenessLogic({ clock, ping: 2_000, suspect: 6_000, waited });
    const liveness = createActor(logic).start();
    liveness.send({ type: 'link.opened', link });
    while (Number.isNaN(silentAt) && clock.now() < 100_000) clock.increment(500);
    liveness.stop();
    return silentAt;
  }

  it('is given the time in which its process had no processor', () => {
    expect(silentAfter(0)).to.equal(6_000);
    expect(silentAfter(0.5)).to.be.within(9_500, 10_500);
    expect(silentAfter(0.8)).to.be.within(20_000, 23_000);
    // Not for ever, because a process that hangs may be starved, too.
    expect(silentAfter(1)).to.be.within(36_000, 37_000);
  });

  it('is pinged after 2, 4, 8 s and so on, so that a busy peer does not find many pings', () => {
    const clock = new SimulatedClock();
    const asked: number[] = [];
    const socket = { received: 0, ping: () => asked.push(clock.now() / 1_000) };
    const link = { socket, silentLooks: 0, suspect: false, record: {} } as unknown as Link;
    const liveness = createActor(createLivenessLogic({ clock, ping: 2_000, suspect: 600_000 })).start();
    liveness.send({ type: 'link.opened', link });
    for (let passed = 0; passed < 300_000; passed += 500) clock.increment(500);
    liveness.stop();
    expect(asked).to.deep.equal([2, 4, 8, 16, 32, 64, 128, 256]);
  });
});
