import { randomBytes, randomUUID, scrypt } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { simulate } from '../../src/testing.ts';
import type { SimulationError, Story } from '../../src/testing.ts';
import { failureOf } from '../support/simulation-failure.ts';

const kept = setTimeout;

describe('simulate', () => {
  it('lets hours pass at once, for timers of every kind', async () => {
    const began = performance.now();
    const hour = 3_600_000;
    const { virtual } = await simulate({ seeds: 1, limit: 10 * hour }, async ({ sleep, now }) => {
      await sleep(hour);
      await wait(hour);
      await promisify(setTimeout)(hour);
      await new Promise((resolve) => setTimeout(resolve, hour));
      let ticks = 0;
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          ticks += 1;
          if (ticks < 3) return;
          clearInterval(timer);
          resolve();
        }, hour / 3);
      });
      const signal = AbortSignal.timeout(hour);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      expect(now()).to.be.within(6 * hour, 6 * hour + 10);
      expect(performance.now()).to.equal(now());
      expect(new Date().toISOString()).to.equal('2026-01-01T06:00:00.000Z');
    });
    expect(virtual).to.be.within(6 * hour, 6 * hour + 10);
    expect(performance.now() - began).to.be.below(hour / 100);
  });

  it('puts the globals back, whatever happens, and never changes them for other code', async () => {
    const before = [setTimeout, Date, Math.random, performance.now, crypto.randomUUID, AbortSignal.timeout];
    let inside = 0;
    const other = new Promise<number>((resolve) => {
      setTimeout(() => resolve(Date.now()), 5);
    });
    const failed = failureOf({ seeds: 1 }, async ({ sleep }) => {
      inside = Date.now();
      await sleep(1_000_000 - 500_000);
      throw new Error('on purpose');
    });
    const outside = await other;
    expect(outside).to.not.be.within(inside, inside + 1_000_000);
    await failed;
    expect(before).to.deep.equal([
      ...[setTimeout, Date, Math.random, performance.now],
      ...[crypto.randomUUID, AbortSignal.timeout],
    ]);
    expect(new Date()).to.be.instanceOf(Date);
    expect(new Date().constructor).to.equal(Date);
  });

  it('repeats chance of every kind, and everything else, from the seed', async () => {
    const told: string[] = [];
    const { digest } = await simulate({ seeds: [7, 8] }, async ({ random, note }) => {
      const chances = [
        random(),
        Math.random(),
        randomUUID(),
        crypto.randomUUID(),
        randomBytes(4).toString('hex'),
      ];
      chances.push(String(crypto.getRandomValues(new Uint8Array(3))));
      chances.push(Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from('x'))).toString('hex'));
      chances.push(((await promisify(scrypt)('a', 'b', 4)) as Buffer).toString('hex'));
      told.push(chances.join(' '));
      note(chances.join(' '));
    });
    // The first seed of a simulation runs twice.
    expect(told).to.have.length(3);
    expect(told[0]).to.equal(told[1]);
    expect(told[2]).to.not.equal(told[1]);
    const again = await simulate({ seeds: [7, 8] }, ({ note }) => note(told.at(-1)!));
    expect(again.digest).to.not.equal(digest);
  });

  it('names the first step that differs when a seed does not do the same twice', async () => {
    let runs = 0;
    const error = await failureOf({ seeds: [3] }, async ({ note, sleep }) => {
      await sleep(10);
      note('the same');
      runs += 1;
      note(`run ${runs}`);
    });
    expect(error.message).to.contain('seed 3 did not do the same twice');
    expect(error.message).to.contain('story: run 1').and.contain('story: run 2');
  });

  it('names real input and output, with the line that began it', async () => {
    const file = await failureOf({ seeds: 1 }, () => readFile(import.meta.filename));
    expect(file.message).to.contain('work with files').and.contain('simulate.spec.ts');
    const timer = await failureOf({ seeds: 1 }, async ({ peer }) => {
      await peer('a');
      await new Promise((resolve) => kept(resolve, 50));
    });
    expect(timer.message).to.contain('a real timer').and.contain('simulate.spec.ts');
    const socket = await failureOf({ seeds: 1 }, () => once(connect(65_000, '127.0.0.1'), 'connect'));
    expect(socket.message).to.contain('a real socket').and.contain('simulate.spec.ts');
  });

  it('says so when nothing is left that could happen', async () => {
    const error = await failureOf({ seeds: 1 }, () => new Promise(() => {}));
    expect(error.message).to.contain('nothing is left that could happen');
    const late = await failureOf({ seeds: 1, limit: 1_000 }, ({ sleep }) => sleep(2_000));
    expect(late.message).to.contain('not over after 1 virtual s');
  });

  it('fails with the seed for what nobody catches', async () => {
    const fails = (story: Story): Promise<SimulationError> => failureOf({ seeds: [5] }, story);
    const errors = [
      await fails(async ({ sleep }) => {
        void Promise.reject(new Error('a rejection'));
        await sleep(1);
      }),
      await fails(async ({ sleep }) => {
        setTimeout(() => expect.fail('in a timer'), 1);
        await sleep(2);
      }),
      await fails(async ({ sleep }) => {
        process.nextTick(() => expect.fail('in a tick'));
        await sleep(2);
      }),
      await fails(async ({ peer }) => {
        await peer('a', () => expect.fail('in a program'));
      }),
    ];
    expect(errors.map(({ message }) => message.split('\n')[0])).to.deep.equal([
      'seed 5 fails: Error: a rejection',
      'seed 5 fails: AssertionError: in a timer',
      'seed 5 fails: AssertionError: in a tick',
      'seed 5 fails: AssertionError: in a program',
    ]);
  });

  it('fails with the seed whatever the story throws, and for a time or a name that is none', async () => {
    const thrown = [
      () => {
        const { proxy, revoke } = Proxy.revocable(new Error('x'), {});
        revoke();
        return proxy;
      },
      () => Object.defineProperty(new Error('x'), 'message', { get: () => proxyTrap() }),
      () => Object.assign(new Error('x'), { name: Symbol('s') }),
      () => undefined,
    ];
    for (const make of thrown) {
      const story: Story = () => {
        throw make() as Error;
      };
      expect((await failureOf({ seeds: 1 }, story)).seed).to.equal(1);
    }
    const wrong: [Story, string][] = [
      [({ sleep }) => sleep(Number.NaN), 'sleep: give a number of ms'],
      [({ peer }) => peer(undefined as never), 'peer: give a name'],
    ];
    for (const [story, text] of wrong) {
      expect((await failureOf({ seeds: 1 }, story)).message).to.include(text);
    }
  });

  it('holds what must always be true against every step', async () => {
    const error = await failureOf({ seeds: 1 }, async ({ always, sleep }) => {
      let value = 0;
      always(() => value < 2);
      for (;;) {
        await sleep(10);
        value += 1;
      }
    });
    expect(error.message).to.match(/not always: .*value ?< ?2/);
    await simulate({ seeds: 1 }, async ({ eventually, now }) => {
      expect(await eventually(() => now() > 5_000 && 'late')).to.equal('late');
      const never = await eventually(() => false, 100).then(
        () => 'true',
        (reason: Error) => reason.message,
      );
      expect(never).to.match(/^not within 100 ms: .*false$/);
    });
  });

  it('takes seeds and a part of them from the environment', async () => {
    const seen: number[] = [];
    try {
      process.env['SIM_SEEDS'] = '10';
      process.env['SIM_SHARD'] = '2/3';
      const { stories } = await simulate({ seeds: 4 }, ({ seed }) => void seen.push(seed));
      expect(stories).to.equal(3);
      expect(new Set(seen)).to.deep.equal(new Set([2, 5, 8]));
    } finally {
      delete process.env['SIM_SEEDS'];
      delete process.env['SIM_SHARD'];
    }
  });

  it('refuses options that are none, with what to give', async () => {
    const refused = async (options: object): Promise<string> => {
      const error: unknown = await simulate(options, () => {}).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(TypeError);
      return (error as Error).message;
    };
    expect(await refused({ sedes: 1 })).to.contain('sedes: simulate() has no such option');
    expect(await refused({ seeds: 0 })).to.contain('seeds: give how many');
    expect(await refused({ faults: { cuts: 1 } })).to.contain('faults: there is no "cuts"');
    expect(await refused({ faults: { cut: 2 } })).to.contain('faults.cut: give the chance');
    expect(await refused({ latency: [5, 1] })).to.contain('latency: give');
  });

  it('runs one simulation after the other, and none inside a story', async () => {
    const order: string[] = [];
    const story =
      (name: string): Story =>
      async ({ sleep }) => {
        order.push(name);
        await sleep(10);
        order.push(name);
      };
    await Promise.all([simulate({ seeds: 1 }, story('a')), simulate({ seeds: 1 }, story('b'))]);
    expect(order.join('')).to.equal('aaaabbbb');
    const error = await failureOf({ seeds: 1 }, () => simulate({ seeds: 1 }, () => {}));
    expect(error.message).to.contain('simulate() must not be called inside of a story');
  });
});

function proxyTrap(): never {
  throw new Error('trap');
}
