import { NetError } from '../../../src/index.ts';
import type { Peer } from '../../../src/index.ts';
import type { Simulation } from '../../../src/testing.ts';
import { agree, crowd } from './presence.ts';

/** Of each call, in ms. */
const DEADLINE = 4_000;

/** What clocks may be wrong by, and what a settled call needs to be heard of. */
const TOLERANCE = 1.06;
const SLACK = 500;

/** An idempotent call runs once, and once more for each time that it may be lost. */
const MOST_RUNS = 4;

interface Made {
  readonly id: number;
  readonly idempotent: boolean;
  /** The process that made it. */
  readonly self: Peer;
  readonly at: number;
  settled: number;
  outcome: 'ok' | 'ran' | 'not run' | undefined;
}

/** Every call is held against what the functions did. */
class Ledger {
  readonly ran = new Map<number, number>();
  readonly made: Made[] = [];

  begin(self: Peer, idempotent: boolean): Made {
    const made: Made = {
      ...{ id: this.made.length, idempotent, self, at: performance.now() },
      ...{ settled: 0, outcome: undefined },
    };
    this.made.push(made);
    return made;
  }

  run(id: number): number {
    this.ran.set(id, (this.ran.get(id) ?? 0) + 1);
    return id;
  }

  /** @param late how long this process stood still at most, in ms */
  settle(made: Made, outcome: Made['outcome'], late: number): void {
    made.settled += 1;
    made.outcome = outcome;
    const took = performance.now() - made.at;
    if (took > DEADLINE * TOLERANCE + late + SLACK)
      throw new Error(`call ${made.id} took ${took.toFixed(0)} ms, with a deadline of ${DEADLINE} ms`);
  }

  /** Whether the calls that did not settle were made in processes that are gone. */
  check(living: ReadonlySet<Peer>): void {
    for (const { id, idempotent, self, settled, outcome } of this.made) {
      const runs = this.ran.get(id) ?? 0;
      const what = `call ${id} of ${self.id}`;
      if (settled > 1) throw new Error(`${what} settled ${settled} times`);
      if (settled === 0 && living.has(self)) throw new Error(`${what} never settled`);
      if (runs > (idempotent ? MOST_RUNS : 1)) throw new Error(`${what} ran ${runs} times`);
      if (outcome === 'ok' && runs === 0) throw new Error(`${what} succeeded, and never ran`);
      if (outcome === 'not run' && runs > 0) throw new Error(`${what} says that it did not run, and ran`);
    }
  }
}

/** A process that calls the others all the time. */
function caller(self: Peer, ledger: Ledger, random: () => number): void {
  let expected = performance.now();
  let late = 0;
  const tick = (): void => {
    late = Math.max(late, performance.now() - expected);
    expected = performance.now() + 100;
    setTimeout(tick, 100);
  };
  setTimeout(tick, 1);
  const work = (id: number): unknown => {
    ledger.run(id);
    if (id % 7 === 0) throw new RangeError('on purpose');
    if (id % 3 === 0) return new Promise((resolve) => setTimeout(() => resolve(id), random() * 200));
    return id;
  };
  self.connect('work', work);
  self.connect('work.twice', (id: number) => work(id), { idempotent: true });
  const plain = self.remote<(id: number) => unknown>('work');
  const twice = self.remote<(id: number) => unknown>('work.twice', { idempotent: true });
  const call = async (): Promise<void> => {
    const idempotent = random() < 0.3;
    const made = ledger.begin(self, idempotent);
    try {
      const value = await (idempotent ? twice : plain).any({}, { deadline: DEADLINE })(made.id);
      if (value !== made.id) throw new Error(`call ${made.id} came back as ${String(value)}`);
      ledger.settle(made, 'ok', late);
    } catch (error) {
      if (error instanceof RangeError) ledger.settle(made, 'ok', late);
      else if (error instanceof NetError) ledger.settle(made, error.ran === 'no' ? 'not run' : 'ran', late);
      else throw error;
    }
  };
  const next = (): void => {
    call().catch((error: unknown) => {
      setTimeout(() => {
        throw error;
      });
    });
    setTimeout(next, random() * 100);
  };
  next();
}

/** Calls through faults. */
export const callsStory =
  (count: number, time: number) =>
  async (simulation: Simulation): Promise<void> => {
    const { sleep, random } = simulation;
    const ledger = new Ledger();
    const names = await crowd(simulation, count, (self) => caller(self, ledger, random));
    await sleep(time);
    const living = new Set(await agree(simulation, names));
    const before = ledger.made.length;
    await sleep(2 * DEADLINE);
    const since = ledger.made.splice(before);
    ledger.check(living);
    if (living.size < 2) return;
    // The network works: what was made lately succeeds.
    const lately = since.filter(({ settled }) => settled > 0);
    if (lately.length === 0 || lately.some(({ outcome }) => outcome !== 'ok'))
      throw new Error(`of ${lately.length} calls after the faults, not all succeeded`);
  };
