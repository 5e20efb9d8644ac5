import { expect } from 'chai';
import { SimulatedClock, createActor } from 'xstate';

import type { Link } from '../../src/connection/link/link.ts';
import { createLivenessLogic } from '../../src/connection/liveness.ts';

describe('a peer that stays silent for a long time', () => {
  it('is pinged after 2, 4, 8 s and so on, so that a busy peer does not find many pings', () => {
    const clock = new SimulatedClock();
    const asked: number[] = [];
    const socket = { received: 0, ping: () => asked.push(clock.now() / 1_000) };
    const link = { socket, silentLooks: 0, suspect: false } as unknown as Link;
    const liveness = createActor(createLivenessLogic({ clock, ping: 2_000, suspect: 600_000 })).start();
    liveness.send({ type: 'link.opened', link });
    for (let passed = 0; passed < 300_000; passed += 500) clock.increment(500);
    liveness.stop();
    expect(asked).to.deep.equal([2, 4, 8, 16, 32, 64, 128, 256]);
  });
});
