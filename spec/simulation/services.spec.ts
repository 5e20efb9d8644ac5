import { expect } from 'chai';

import { NetError } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import { simulate } from '../../src/testing.ts';
import type { Faults, Story } from '../../src/testing.ts';
import { failureOf } from '../support/simulation-failure.ts';

const faults: Faults = { cut: 0.2, stall: 0.1, freeze: 0.1, restart: 0.1 };

/** How long a write takes, in ms. */
const WRITE = 20;

class Disk {
  cents = 0;

  write(cents: number): Promise<void> {
    return new Promise((resolve) =>
      setTimeout(() => {
        this.cents += cents;
        resolve();
      }, WRITE),
    );
  }
}

/** What a client was told that it has paid must be on the disk. */
const payments =
  (pay: (disk: Disk, cents: number) => unknown): Story =>
  async ({ peer, sleep, heal }) => {
    const disk = new Disk();
    let paid = 0;
    await peer('bank', (self) => self.connect('pay', (cents: number) => pay(disk, cents)));
    await peer('client', async (self: Peer) => {
      const call = self.remote<(cents: number) => unknown>('pay');
      for (;;) {
        await call
          .any(
            {},
            { deadline: 1_000 },
          )(1)
          .then(() => (paid += 1))
          .catch((error: unknown) => {
            if (!(error instanceof NetError)) throw error;
          });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
    await sleep(5_000);
    heal();
    await sleep(100);
    if (disk.cents < paid) throw new Error(`${paid} cents were paid, and ${disk.cents} are on the disk`);
  };

describe('a simulation of a service', function () {
  this.timeout(60_000);

  it('notices within 100 seeds that it answers before it has written, and needs one fault to show it', async () => {
    const failure = await failureOf(
      { seeds: 100, faults },
      payments((disk, cents) => void disk.write(cents)),
    );
    expect(failure.message).to.match(/\d+ cents were paid, and \d+ are on the disk/);
    expect(failure.faults.map(({ kind }) => kind)).to.deep.equal(['restart']);
    await simulate(
      { seeds: [failure.seed], faults },
      payments((disk, cents) => disk.write(cents)),
    );
  });
});
