// A bank, and a client that pays. The disk outlives the processes.
import { NetError } from 'app-net';
import type { Peer } from 'app-net';
import { setTimeout } from 'node:timers/promises';

export interface Payment {
  id: string;
  cents: number;
}

export class Disk {
  cents = 0;
  readonly done = new Set<string>();
}

/** As it was first written. */
export function careless(bank: Peer, disk: Disk): void {
  bank.connect('bank.pay', async ({ cents }: Payment) => {
    await setTimeout(5); // it writes to the disk
    disk.cents += cents;
  });
}

/** As the simulation wants it: a payment that comes twice is done once. */
export function careful(bank: Peer, disk: Disk): void {
  bank.connect('bank.pay', async ({ id, cents }: Payment) => {
    await setTimeout(5);
    if (disk.done.has(id)) return;
    disk.done.add(id);
    disk.cents += cents;
  });
}

/** Tries until the bank has answered. */
export async function pay(client: Peer, payment: Payment): Promise<void> {
  const bank = client.remote<(payment: Payment) => Promise<void>>('bank.pay');
  for (;;) {
    try {
      await bank.any({}, { deadline: 1_000 })(payment);
      return;
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      await setTimeout(100);
    }
  }
}
