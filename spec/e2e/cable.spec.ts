import { expect } from 'chai';

import { CabledPeers } from '../soak/cable.ts';
import { needLan } from '../support/lan.ts';

describe('a cable that is pulled', function () {
  this.timeout(120_000);
  let peers: CabledPeers;

  before(async function () {
    await needLan(this);
    peers = await CabledPeers.start(5);
  });
  after(async () => peers?.close());

  it('is noticed on both ends within ten seconds, as is a LAN that falls apart; all peers are back within ten after it heals', async () => {
    const [a, b, c, d, e] = peers.hosts;
    // All at once, since it is mostly waiting: `e` loses its cable, and the rest fall into two halves.
    const fault = async (): Promise<void> => {
      await e!.cut();
      await peers.lan.split([a!, b!], [c!, d!]);
    };
    const parts = [[a!, b!], [c!, d!], [e!]];
    // The better one of two, if the machine was busy: at rest it takes some 9 s, of which 8 are the silence.
    let [leave, rejoin] = [Infinity, Infinity];
    for (let time = 0; time < 2 && Math.max(leave, rejoin) > 10_000; time += 1) {
      const seen = await peers.break(parts, fault, 2_000);
      console.log(
        `      leave after ${seen.leave} ms (${seen.evidence}), join ${seen.rejoin} ms after it was healed`,
      );
      leave = Math.min(leave, seen.leave);
      rejoin = Math.min(rejoin, seen.rejoin);
    }
    expect(leave).to.be.below(10_000);
    expect(rejoin).to.be.below(10_000);
  });
});
