import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { CrossingLinks } from '../../src/connection/crossing.ts';
import type { Link } from '../../src/connection/link/link.ts';
import type { EventsFrame } from '../../src/wire/frames.ts';

describe('frames that wait while two links cross', () => {
  it('may outnumber, in one message, the arguments that the engine accepts for one call', () => {
    const record = {} as Link['record'];
    const base = { record, generation: 0, leaving: undefined, otherLeaving: undefined };
    const left = { ...base, dialled: false, leaving: 'duplicate' } as unknown as Link;
    const kept = { ...base, dialled: true } as unknown as Link;
    let taken = 0;
    const crossing = new CrossingLinks(
      new SimulatedClock(),
      (_, frames) => (taken += frames.length),
      () => {},
    );
    crossing.opened(left);
    crossing.opened(kept);
    const frame: EventsFrame = { type: 'unsubscribe', name: 'x' };
    crossing.frames(kept, [frame]);
    expect(taken).to.equal(0);
    crossing.frames(
      kept,
      Array.from({ length: 200_000 }, () => frame),
    );
    expect(taken).to.equal(200_001);
  });
});
