// What must be true of a bank, however broken the network is.
import type { Peer } from 'app-net';
import type { Faults, Story } from 'app-net/testing';

import { Disk, pay } from './bank.ts';

export const faults: Faults = { cut: 0.2, stall: 0.1, freeze: 0.1, restart: 0.1 };

export function payments(program: (bank: Peer, disk: Disk) => void): Story {
  return async ({ peer, random, sleep, heal, eventually }) => {
    const disk = new Disk();
    const orders = Array.from({ length: 100 }, (_, index) => ({
      id: `payment ${index}`,
      cents: Math.ceil(random() * 10_000),
    }));
    const total = orders.reduce((sum, { cents }) => sum + cents, 0);
    await peer('bank', (self) => program(self, disk));
    await peer('client', async (self) => {
      for (let [next] = orders; next; [next] = orders) {
        await pay(self, next);
        orders.shift();
      }
    });
    await sleep(20_000);
    heal();
    await eventually(() => orders.length === 0);
    if (disk.cents !== total) throw new Error(`${total} cents were paid, and the bank has ${disk.cents}`);
  };
}
