// Run it with `node --import tsx --test examples/09-test/node.test.ts`.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createPeer, peers } from 'app-net';

import { network } from './network.ts';
import { inStock, total } from './shop.ts';

await test('the shop adds up the lines of an order', () => {
  assert.equal(total([{ cents: 250, count: 2 }]), 500);
});

await test('the shop asks the warehouse', async () => {
  await using warehouse = createPeer({ name: 'warehouse', network });
  warehouse.connect('warehouse.count', (item: string) => (item === 'tea' ? 3 : 0));
  await warehouse.start();
  await peers.ready('warehouse.count');
  assert.equal(await inStock('tea'), 'yes');
  assert.equal(await inStock('coffee'), 'no');
});
