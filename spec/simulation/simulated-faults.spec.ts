import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { expect } from 'chai';

import { NetError } from '../../src/index.ts';
import { simulate } from '../../src/testing.ts';
import { failureOf } from '../support/simulation-failure.ts';

describe('the faults of a simulation', () => {
  it('lets nothing run in a process that was killed', async () => {
    await simulate({ seeds: 3 }, async ({ peer, kill, sleep, restart }) => {
      const steps: string[] = [];
      const server = await peer('server', (self) => {
        setInterval(() => steps.push('tick'), 100);
        self.connect('work', async () => {
          try {
            await wait(10_000);
            steps.push('worked');
          } finally {
            steps.push('finally');
          }
        });
      });
      const client = await peer('client');
      await client.peers.ready('work');
      const work = client.remote<() => Promise<void>>('work');
      const call = work
        .any()()
        .catch((error: unknown) => error);
      const own = server
        .remote('work')
        .any()()
        .catch((error: unknown) => error);
      await sleep(1_000);
      kill('server');
      const ticks = steps.length;
      expect(await call)
        .to.be.instanceOf(NetError)
        .with.property('code', 'CONNECTION_LOST');
      await sleep(20_000);
      expect(steps).to.have.length(ticks);
      expect(new Set(steps)).to.deep.equal(new Set(['tick']));
      expect(await own).to.be.instanceOf(NetError);

      await peer('other', (self) => self.connect('name', () => self.id));
      const again = await restart('other', { after: 100, id: 'new' });
      expect(again.id).to.equal('other-2');
      expect(await peer('other')).to.equal(again);
      await client.peers.ready('name');
      expect(await client.remote<() => string>('name').any()()).to.equal('other-2');
    });
  });

  it('fails calls that the story makes through a peer that is killed', async () => {
    await simulate({ seeds: 3 }, async ({ peer, kill, sleep }) => {
      await peer('server', (self) => self.connect('never', () => new Promise(() => {})));
      const client = await peer('client');
      const call = client.remote<() => Promise<void>>('never').any({}, { deadline: 60_000 })();
      const failed = call.catch((error: unknown) => error);
      await sleep(1_000);
      kill(client);
      expect(await failed).to.include({ code: 'STOPPED', ran: 'unknown' });
    });
  });

  it('fails whatever the story waits for through a peer that was killed', async () => {
    await simulate({ seeds: 3 }, async ({ peer, kill, sleep }) => {
      const client = await peer('client');
      const far = client.remote<() => Promise<void>>('never');
      const waits = [
        () => far.any({}, { wait: true, deadline: 60_000 })(),
        () => client.peers.ready('never'),
        () => client.event('never').ready(),
      ];
      const failures = async (): Promise<unknown[]> =>
        (await Promise.allSettled(waits.map((each) => each()))).map((end) =>
          end.status === 'rejected' ? (end.reason as NetError).code : 'no failure',
        );
      const before = failures();
      const watch = client.peers.watch();
      await watch.next();
      const loops = Promise.all([watch.next(), client.event('never').stream().next()]);
      await sleep(1_000);
      kill(client);
      expect((await before).join()).to.equal(waits.map(() => 'STOPPED').join());
      expect((await loops).map(({ done }) => done)).to.deep.equal([true, true]);
      expect((await failures()).join()).to.equal(waits.map(() => 'STOPPED').join());
    });
  });

  it('keeps a frozen process from doing anything until it goes on', async () => {
    await simulate({ seeds: 3 }, async ({ peer, freeze, sleep, now }) => {
      const ticks: number[] = [];
      await peer('server', (self) => {
        setInterval(() => ticks.push(now()), 100);
        self.connect('hello', () => now());
      });
      const client = await peer('client');
      await client.peers.ready('hello');
      await sleep(1_000);
      const [from, before] = [now(), ticks.length];
      freeze('server', 3_000);
      const answered = await client.remote<() => number>('hello').any()();
      expect(answered).to.be.at.least(from + 3_000);
      expect(ticks.slice(before).every((at) => at >= from + 3_000)).to.equal(true);
    });
  });

  it('makes every fault that a story asks for, and ends it', async () => {
    await simulate({ seeds: 5 }, async (simulation) => {
      const { peer, cut, cutOneWay, stall, delay, heal, skew, now, sleep, eventually } = simulation;
      await peer('b', (self) => self.connect('time', () => [now(), Date.now()]));
      const a = await peer('a', { ping: 500, suspect: 1_500 });
      await a.peers.ready('time');
      const time = a.remote<() => [number, number]>('time').any({}, { deadline: 60_000 });
      const sees = (): boolean => a.peers.size === 1;
      cut('a', 'b');
      await eventually(() => !sees());
      heal('a', 'b');
      await eventually(sees);
      let from = now();
      stall(a, 'b', 900);
      expect((await time())[0]).to.be.at.least(from + 900);
      from = now();
      cutOneWay('b', 'a', 900);
      expect((await time())[0]).to.be.below(from + 100);
      expect(now()).to.be.at.least(from + 900);
      from = now();
      delay('a', 'b', 200);
      await time();
      expect(now()).to.be.within(from + 400, from + 500);
      skew('b', { rate: 1.5, off: 60_000 });
      const [at, shown] = await time();
      expect(shown).to.be.above(Date.UTC(2026, 0, 1) + at + 59_000);
      heal();
      from = now();
      await time();
      expect(now()).to.be.below(from + 100);
      await sleep(1);
    });
  });

  it('shrinks the faults of a failure, and tells how to run it again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulate-'));
    const svg = join(folder, 'failure.svg');
    try {
      const faults = { cut: 0.5, delay: 0.5, freeze: 0.3, skew: 0.2 };
      const error = await failureOf({ seeds: 50, faults, svg }, async ({ peer, sleep }) => {
        const [a] = await Promise.all([peer('a'), peer('b'), peer('c')]);
        let lost = 0;
        a.peers.on('leave', () => (lost += 1));
        await sleep(30_000);
        expect(lost).to.equal(0);
      });
      expect(error.faults.length).to.be.within(1, 2);
      expect(Object.keys(error), 'test runners print these').not.to.include('faults');
      expect(error.message).to.match(/The fewest faults with which it fails, of \d+:/);
      expect(error.message).to.contain(`SIM_SEED=${error.seed}`).and.contain('a sees');
      expect(error.message.split('\n').length).to.be.below(70);
      expect(await readFile(svg, 'utf8')).to.match(/^<svg [^]*<\/svg>\n$/);
      process.env['SIM_SEED'] = String(error.seed);
      let seeds = 0;
      await simulate({ seeds: 50 }, ({ seed }) => {
        seeds += 1;
        expect(seed).to.equal(error.seed);
      });
      expect(seeds).to.equal(2);
    } finally {
      delete process.env['SIM_SEED'];
      await rm(folder, { recursive: true });
    }
  });
});
