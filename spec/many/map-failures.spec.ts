import { expect } from 'chai';
import * as fc from 'fast-check';

import { NetError } from '../../src/index.ts';
import type { MapResult, NetErrorCode } from '../../src/index.ts';
import { callMap } from '../../src/many/map.ts';
import { FakePool, settle } from '../support/pool.ts';
import type { FakePeer } from '../support/pool.ts';

/** The outcome of one call, at a peer or on its way there. */
type Fate =
  | 'answered'
  | 'answered later'
  | 'thrown'
  | 'overloaded'
  | 'refused'
  | 'no such function'
  | 'lost before it ran'
  | 'lost after it ran';

const FATES = fc.constantFrom<Fate>(
  ...(['answered', 'answered', 'answered later', 'answered later'] as const),
  ...(['thrown', 'overloaded', 'refused', 'no such function'] as const),
  ...(['lost before it ran', 'lost after it ran'] as const),
);

interface Script {
  inputs: number;
  concurrency: number;
  ordered: boolean;
  idempotent: boolean;
  fates: Fate[];
  /** Turns between one result that the loop takes and the next. */
  slowness: number;
}

const scripts = fc.record({
  inputs: fc.nat(40),
  concurrency: fc.integer({ min: 1, max: 5 }),
  ordered: fc.boolean(),
  idempotent: fc.boolean(),
  fates: fc.array(FATES, { minLength: 1, maxLength: 200 }),
  slowness: fc.nat(2),
});

/** Plays the script on a pool of three peers; one that is lost comes back as another. */
async function play(script: Script): Promise<{ results: MapResult<number, number>[]; runs: number[] }> {
  const pool = new FakePool();
  const runs = Array.from({ length: script.inputs }, () => 0);
  let step = 0;
  let names = 0;

  const join = (): void => {
    const peer: FakePeer = pool.join(`p${names++}`, async ([input]) => {
      // Once the script is over, everything goes well.
      const fate = script.fates[step++] ?? 'answered';
      const run = (): number => {
        runs[input as number]! += 1;
        return (input as number) * 2;
      };
      const lose = (): never => {
        pool.leave(peer);
        join();
        throw new NetError('CONNECTION_LOST', fate);
      };
      const fail = (code: NetErrorCode): never => {
        throw new NetError(code, fate);
      };
      const ends: Record<Fate, () => number | Promise<number>> = {
        answered: run,
        'answered later': async () => {
          for (let turn = 0; turn < 5; turn += 1) await settle();
          return run();
        },
        thrown: () => {
          run();
          throw new RangeError('its own');
        },
        overloaded: () => fail('OVERLOADED'),
        refused: () => fail('REFUSED'),
        'no such function': () => fail('NO_SUCH_TAG'),
        'lost before it ran': lose,
        'lost after it ran': () => {
          run();
          return lose();
        },
      };
      await settle();
      return ends[fate]();
    });
  };
  for (let count = 0; count < 3; count += 1) join();

  const { concurrency, ordered, idempotent } = script;
  const call = {
    ...{ candidates: pool.candidates(), idempotent, concurrency, ordered, time: 30_000 },
    ...{ signal: undefined, onProgress: undefined, args: (input: unknown) => [input] },
  };
  const results: MapResult<number, number>[] = [];
  let over = false;
  const loop = (async () => {
    for await (const result of callMap(call, runs.keys())) {
      results.push(result as MapResult<number, number>);
      for (let turn = 0; turn < script.slowness; turn += 1) await settle();
    }
    over = true;
  })();
  while (!over) await pool.pass(1);
  await loop;
  expect(pool.timers()).to.equal(0);
  return { results, runs };
}

describe('a map with any failures of its calls', function () {
  this.timeout(120_000);

  it('gives each input one result, never runs one twice that must not, and is right about what ran', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        const { results, runs } = await play(script);
        expect(results.map(({ index }) => index).toSorted((a, b) => a - b)).to.deep.equal([...runs.keys()]);
        if (script.ordered) expect(results.map(({ index }) => index)).to.deep.equal([...runs.keys()]);
        for (const result of results) {
          const count = runs[result.input]!;
          if (!script.idempotent) expect(count).to.be.at.most(1);
          if (result.status === 'fulfilled') {
            expect(result.value).to.equal(result.input * 2);
            expect(count).to.be.at.least(1);
          } else if (result.reason instanceof NetError) {
            // Only what may have run is given up, in so short a time.
            expect(result.reason).to.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
          } else {
            expect(result.reason).to.be.instanceOf(RangeError);
            expect(count).to.be.at.least(1);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
