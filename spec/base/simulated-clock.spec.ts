import { expect } from 'chai';

import { MemoryNetwork, SimulatedClock } from '../../src/testing.ts';
import { Stage, failure } from '../support/peers.ts';

describe('the clock of app-net/testing', () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  it('calls timers in the order in which they fall due, when it is moved', () => {
    const clock = new SimulatedClock();
    const called: string[] = [];
    clock.setTimeout(() => called.push('b'), 20);
    clock.setTimeout(() => called.push('a'), 10);
    clock.clearTimeout(clock.setTimeout(() => called.push('never'), 5));
    clock.increment(9);
    expect(called).to.deep.equal([]);
    clock.set(20);
    expect(called).to.deep.equal(['a', 'b']);
    expect(clock.now()).to.equal(20);
    expect(() => clock.set(1)).to.throw(Error);
  });

  it('decides when a deadline has passed', async () => {
    const network = new MemoryNetwork();
    const clock = new SimulatedClock();
    const server = await stage.make({ name: 'server', network }).start();
    server.connect('hang', () => new Promise(() => {}));
    const customer = await stage.make({ name: 'customer', network, clock }).start();
    const [peer] = await customer.peers.ready('hang');
    const failed = failure(peer.call('hang', [], { deadline: 1_000 }));
    clock.increment(1_000);
    expect(await failed).to.include({ code: 'DEADLINE_EXCEEDED' });
  });
});
