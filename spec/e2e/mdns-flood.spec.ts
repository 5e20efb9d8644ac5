import { expect } from 'chai';

import { mdnsFlood } from '../soak/mdns-flood.ts';
import { needLan } from '../support/lan.ts';

describe('a flood of false announcements on a LAN', function () {
  this.timeout(120_000);

  before(function () {
    return needLan(this);
  });

  it('costs few dials, little memory and no peer', async () => {
    // The long form, also with many senders, is in spec/soak.
    const { rate, dials, leaves, heap, load, candidates } = await mdnsFlood(6, 10_000, 1);
    const dialled = dials.map(({ perSecond }) => perSecond.toFixed(1)).join(' and ');
    console.log(
      `      ${rate.toFixed(0)} lies/s: ${dialled} dials/s, ${heap.toFixed(1)} MiB, ${(load * 100).toFixed(0)} % of a core`,
    );
    expect(leaves).to.deep.equal([]);
    for (const { perSecond } of dials) expect(perSecond).to.be.within(1, 10);
    expect(heap).to.be.below(32);
    // Those that one sender may name, and the peers.
    expect(candidates).to.be.within(100, 260);
  });

  it('delays no honest peer, even when the false announcements use its own id', async () => {
    const { join, leaves } = await mdnsFlood(16, 200, 50, ['a', 'b', 'c'], true);
    console.log(`      joined both after ${join?.toFixed(0)} ms`);
    expect(leaves).to.deep.equal([]);
    // 0.3 s where the machine has nothing else to do. Without tags it was 10 to 36 s.
    expect(join).to.be.below(8_000);
  });
});
