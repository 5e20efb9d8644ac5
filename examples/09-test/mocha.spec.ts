// Run it with `npx mocha --no-config --node-option import=tsx examples/09-test/mocha.spec.ts`.
import { createPeer, peers } from 'app-net';
import type { Peer } from 'app-net';
import { SimulatedClock } from 'app-net/testing';
import { expect } from 'chai';

import { network } from './network.ts';
import { inStock, total } from './shop.ts';

describe('the shop', () => {
  let warehouse: Peer;

  beforeEach(() => {
    // Some functions below never answer. `stop()` must not wait for them.
    warehouse = createPeer({ name: 'warehouse', network, drainTime: 0 });
  });

  afterEach(() => warehouse.stop());

  it('adds up the lines of an order', () => {
    expect(total([{ cents: 250, count: 2 }])).to.equal(500);
  });

  it('takes only values that another process can send', () => {
    const line = { cents: 250, count: 2, discount: () => 10 };
    expect(() => total([line])).to.throw('args[0][0].discount is a function');
  });

  it('asks the warehouse', async () => {
    warehouse.connect('warehouse.count', (item: string) => (item === 'tea' ? 3 : 0));
    await warehouse.start();
    await peers.ready('warehouse.count');
    expect([await inStock('tea'), await inStock('coffee')]).to.deep.equal(['yes', 'no']);
  });

  it('does not know the stock while there is no warehouse', async () => {
    expect(await inStock('tea')).to.equal('unknown');
  });

  it('does not know the stock when the warehouse crashes during the call', async () => {
    warehouse.connect('warehouse.count', () => {
      network.kill(warehouse);
      return new Promise<number>(() => {}); // it never answers
    });
    await warehouse.start();
    await peers.ready('warehouse.count');
    expect(await inStock('tea')).to.equal('unknown');
  });

  it('finds the warehouse again when the network is back', async () => {
    warehouse.connect('warehouse.count', () => 3);
    await warehouse.start();
    await peers.ready('warehouse.count');

    const left = new Promise<string>((resolve) => peers.once('leave', (_, why) => resolve(why)));
    network.cut('shop', warehouse);
    expect(await left).to.equal('lost');
    expect(await inStock('tea')).to.equal('unknown');

    network.heal('shop', warehouse);
    await peers.ready('warehouse.count');
    expect(await inStock('tea')).to.equal('yes');
  });

  it('waits no longer than its deadline, without waiting in the test', async () => {
    const clock = new SimulatedClock();
    await using customer = createPeer({ name: 'customer', network, clock });
    warehouse.connect('warehouse.count', () => new Promise<number>(() => {}));
    await Promise.all([warehouse.start(), customer.start()]);
    const [there] = await customer.peers.ready('warehouse.count');
    const countOf = customer.remote<(item: string) => number>('warehouse.count');
    const call = countOf.on(there, { deadline: 1_000 })('tea');
    clock.increment(1_000);
    const error: unknown = await call.catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'DEADLINE_EXCEEDED' });
  });

  it('calls the warehouse once for each question', async () => {
    warehouse.connect('warehouse.count', () => 3);
    await warehouse.start();
    await peers.ready('warehouse.count');
    await inStock('tea');
    const dispatcher = warehouse.actor.system.get('dispatcher').getSnapshot();
    expect(dispatcher.context).to.include({ running: 0, settled: 1 });
    const connection = warehouse.actor.system.get('connection:shop').getSnapshot();
    expect(connection.value).to.equal('open');
  });
});
