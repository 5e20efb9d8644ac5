import { expect } from 'chai';

import { MemoryNetwork, SimulatedClock } from '../../src/testing.ts';
import type { Peer } from '../../src/index.ts';
import { meet, Stage } from '../support/peers.ts';
import { seeded } from '../support/random.ts';
import { deliver } from '../support/simulated.ts';

/** Longer than the load may take to be told, in ms. */
const TOLD = 150;

describe('the load that peers tell', () => {
  const stage = new Stage();
  let clock: SimulatedClock;
  let workers: Peer[];
  let callers: Peer[];
  /** The names of the peers that began a job, by job. */
  let begun: Map<number, { on: string; at: number }>;

  /** A function that works on one job at a time. @param functions what is called on each caller */
  async function start(counts: { workers: number; callers: number }, options = { concurrency: 1 }) {
    clock = new SimulatedClock();
    const network = new MemoryNetwork();
    begun = new Map();
    const random = seeded(1);
    const make = (kind: string, count: number): Peer[] =>
      Array.from({ length: count }, (_, n) => stage.make({ network, clock, random, name: `${kind}${n}` }));
    workers = make('worker', counts.workers);
    callers = make('caller', counts.callers);
    for (const worker of workers) {
      const work = async (job: number, time: number): Promise<string> => {
        begun.set(job, { on: worker.name, at: clock.now() });
        await new Promise<void>((resolve) => clock.setTimeout(resolve, time));
        return worker.name;
      };
      worker.connect('work', work, options);
    }
    const ids = workers.map(({ id }) => id);
    const met = Promise.all(
      [...workers, ...callers].map(async (peer) => {
        await peer.start();
        return callers.includes(peer) ? meet(peer, ...ids) : [];
      }),
    );
    // Slowly: what takes time of the processor must not be late.
    await during(met, 1);
  }

  /** Lets time pass until it is done. @param step in ms */
  async function during<T>(done: Promise<T>, step = 10): Promise<T> {
    let isOver = false;
    const over = done.finally(() => (isOver = true));
    for (let steps = 0; !isOver && steps < 100_000; steps += 1) {
      await deliver();
      clock.increment(step);
    }
    return over;
  }

  async function pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      await deliver();
      clock.increment(10);
    }
    await deliver();
  }

  const any = (caller: Peer, job: number, time: number): Promise<string> =>
    caller.remote<(job: number, time: number) => Promise<string>>('work').any()(job, time);
  const on = (caller: Peer, worker: Peer, job: number, time: number): Promise<unknown> =>
    caller.peers.get(worker.id)!.call('work', [job, time]);

  afterEach(() => during(stage.clear()));

  it('keeps `any` away from a peer that is busy with the calls of others', async () => {
    await start({ workers: 3, callers: 2 });
    const [busy] = workers;
    const [one, other] = callers;
    await during(on(one!, busy!, 0, 10));
    const long = on(other!, busy!, 1, 20_000);
    await pass(TOLD);
    const names: string[] = [];
    for (let job = 2; job < 22; job += 1) names.push(await during(any(one!, job, 10)));
    expect(names).to.not.include(busy!.name);
    // It has room again, and is chosen again.
    await during(long);
    for (let job = 22; job < 62; job += 1) names.push(await during(any(one!, job, 10)));
    expect(names).to.include(busy!.name);
  });

  it('gives the inputs of `map` to the peers that are not busy first', async () => {
    await start({ workers: 3, callers: 2 });
    const [busy] = workers;
    const [one, other] = callers;
    await during(on(one!, busy!, 0, 10));
    const long = Promise.all([on(other!, busy!, 1, 2_000), on(other!, busy!, 2, 2_000)]);
    await pass(TOLD);
    const work = one!.remote<(job: number, time: number) => Promise<string>>('work');
    const results = work.map([3, 4, 5, 6], { concurrency: 2, args: (job): [number, number] => [job, 100] });
    const names: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const result of results) names.push(result.status === 'fulfilled' && result.value);
    };
    await during(read());
    expect(names).to.have.length(4);
    expect(names).to.not.include(busy!.name);
    await during(long);
  });

  it('tells which of several places are taken', async () => {
    await start({ workers: 2, callers: 2 }, { concurrency: 3 });
    const [first, second] = workers;
    const [one, other] = callers;
    await during(Promise.all([on(one!, first!, 0, 10), on(one!, second!, 1, 10)]));
    const long = [2, 3].map((job) => on(other!, first!, job, 5_000));
    await pass(TOLD);
    const mine = [4, 5].map((job) => any(one!, job, 1_000));
    expect(await during(Promise.all(mine))).to.deep.equal([second!.name, second!.name]);
    await during(Promise.all(long));
  });

  it('lets no caller wait much longer than with one queue for all', async () => {
    await start({ workers: 3, callers: 4 });
    const random = seeded(7);
    const times = Array.from({ length: 200 }, () => 50 + Math.floor(random() * 1_950));
    const waits: number[] = [];
    let next = 0;
    const call = async (caller: Peer): Promise<void> => {
      for (let job = next++; job < times.length; job = next++) {
        const since = clock.now();
        await any(caller, job, times[job]!);
        waits.push(begun.get(job)!.at - since);
      }
    };
    // From its first call on, a caller is told.
    for (const worker of workers)
      await during(Promise.all(callers.map((caller) => on(caller, worker, -1, 10))));
    await during(Promise.all(callers.map((caller) => call(caller))));
    const ideal = oneQueue(times);
    const mean = (of: number[]): number => of.reduce((sum, each) => sum + each, 0) / of.length;
    // Measured: 1.00 to 1.06 times the mean of one queue. If peers tell nothing: 2.3 to 2.7 times.
    expect(mean(waits)).to.be.below(mean(ideal) * 1.3);
    // Two calls at the same moment may still choose the same peer, and then one waits for two jobs.
    expect(Math.max(...waits)).to.be.below(2 * Math.max(...times));
  });

  /** How long the jobs of the four callers wait when three workers take them from one queue. */
  function oneQueue(times: readonly number[]): number[] {
    const free = [0, 0, 0];
    const ready = [0, 0, 0, 0];
    return times.map((time) => {
      const caller = ready.indexOf(Math.min(...ready));
      const worker = free.indexOf(Math.min(...free));
      const since = ready[caller]!;
      const begins = Math.max(since, free[worker]!);
      free[worker] = ready[caller] = begins + time;
      return begins - since;
    });
  }
});
