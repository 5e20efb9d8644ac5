// Run it with `npx vitest run examples/09-test/vitest.test.js`.
import { createPeer, peers } from 'app-net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { network } from './network.ts';
import { inStock, total } from './shop.ts';

describe('the shop', () => {
  let warehouse;

  beforeEach(() => {
    warehouse = createPeer({ name: 'warehouse', network });
  });

  afterEach(() => warehouse.stop());

  it('adds up the lines of an order', () => {
    expect(total([{ cents: 250, count: 2 }])).toBe(500);
  });

  it('asks the warehouse', async () => {
    warehouse.connect('warehouse.count', (item) => (item === 'tea' ? 3 : 0));
    await warehouse.start();
    await peers.ready('warehouse.count');
    expect(await inStock('tea')).toBe('yes');
    expect(await inStock('coffee')).toBe('no');
  });
});
