import { expect } from 'chai';

import { CabledPeers } from '../soak/cable.ts';
import { needLan } from '../support/lan.ts';

describe('a cable that is pulled', function () {
  this.timeout(90_000);
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
    const { leave, rejoin, evidence } = await peers.break(parts, fault, 2_000);
    console.log(`      leave after ${leave} ms (${evidence}), join ${rejoin} ms after it was healed`);
    expect(leave).to.be.below(10_000);
    expect(rejoin).to.be.below(10_000);
  });
});
