import { expect } from 'chai';
import * as fc from 'fast-check';

import { NetError } from '../../src/index.ts';
import type { MapProgress, Results } from '../../src/index.ts';
import type { MapCall } from '../../src/many/map-options.ts';
import type { Inputs } from '../../src/many/map-inputs.ts';
import { double, gather, mapOver, numbers, slow, values } from '../support/map.ts';
import type { Result } from '../support/map.ts';
import { failure } from '../support/peers.ts';
import { FakePool, settle } from '../support/pool.ts';

describe('a map', () => {
  let pool: FakePool;

  beforeEach(() => {
    pool = new FakePool();
  });

  const map = (inputs: Inputs<unknown>, changes?: Partial<MapCall>): Results<Result> =>
    mapOver(pool, inputs, changes);

  it('yields one result for each input, with the input, its index and its peer', async () => {
    const peer = pool.join('a', double);
    expect(await gather(map([5, 6]))).to.deep.equal([
      { index: 0, input: 5, status: 'fulfilled', value: 10, peer },
      { index: 1, input: 6, status: 'fulfilled', value: 12, peer },
    ]);
    expect(await gather(map([]))).to.deep.equal([]);
  });

  it('takes inputs from any iterable', async () => {
    pool.join('a', double);
    async function* later(): AsyncGenerator<number> {
      for (const each of numbers(20)) {
        await settle();
        yield each;
      }
    }
    for (const inputs of [
      new Set(numbers(20)),
      numbers(20).values(),
      later(),
      new Float64Array(numbers(20)),
    ]) {
      expect(values(await gather(map(inputs, { ordered: true })))).to.deep.equal(
        numbers(20).map((x) => x * 2),
      );
    }
  });

  it('runs at most `concurrency` inputs on each peer', async () => {
    const [a, b] = [slow(pool, 'a'), slow(pool, 'b')];
    const results = map(numbers(10));
    const next = results.next();
    await settle();
    expect([a.length, b.length]).to.deep.equal([2, 2]);
    a[0]!.answer(1);
    await next;
    await settle();
    expect([a.length, b.length]).to.deep.equal([3, 2]);
    await results.return();
  });

  it('takes no input before the first read, and then only those that can run soon, even from an endless generator', async () => {
    pool.join('a', double);
    let taken = 0;
    let closed = false;
    function* endless(): Generator<number> {
      try {
        for (;;) yield taken++;
      } finally {
        closed = true;
      }
    }
    const results = map(endless());
    await settle();
    expect(taken).to.equal(0);
    for (let count = 0; count < 100; count += 1) {
      await results.next();
      await settle();
      // Four times what runs at the same time, which is two.
      expect(taken - count).to.be.at.most(10);
    }
    await results.return();
    expect(closed).to.equal(true);
  });

  it('yields a failed input as a rejected entry and goes on', async () => {
    pool.join('a', ([x]) => {
      if (x === 1) throw new RangeError('one');
      return x;
    });
    const [, second, third] = await gather(map(numbers(3), { ordered: true }));
    expect(second).to.deep.include({ index: 1, input: 1, status: 'rejected' });
    expect((second as { reason: unknown }).reason).to.be.instanceOf(RangeError);
    expect(third).to.include({ status: 'fulfilled' });
  });

  it('makes the arguments of a call with `args`, and a failure of that fails only its input', async () => {
    pool.join('a', (args) => args);
    const args = (input: unknown, index: number): unknown[] => {
      if (index === 1) throw new RangeError('no arguments');
      return [input, index];
    };
    const [first, second] = await gather(map(['x', 'y'], { args, ordered: true }));
    expect(first).to.deep.include({ value: ['x', 0] });
    expect((second as { reason: Error }).reason.message).to.equal('no arguments');
  });

  it('goes on when no input can be turned into arguments', async () => {
    pool.join('a', double);
    const args = (): never => {
      throw new RangeError('no arguments');
    };
    const results = await gather(map(numbers(50), { args }));
    expect(results.filter(({ status }) => status === 'rejected')).to.have.length(50);
  });

  describe('in order', () => {
    it('holds back results until the earlier ones are ready, and takes a limited number of inputs meanwhile', async () => {
      const a = slow(pool, 'a');
      let taken = 0;
      const results = map(
        (function* () {
          for (;;) yield taken++;
        })(),
        { ordered: true },
      );
      const first = results.next();
      await settle();
      for (let index = 1; index < a.length; index += 1) {
        a[index]!.answer(index);
        await settle();
      }
      expect(taken).to.equal(8);
      a[0]!.answer(0);
      const got = [await first];
      for (let count = 1; count < 8; count += 1) got.push(await results.next());
      expect(got.map(({ value }) => (value as Result).index)).to.deep.equal(numbers(8));
      await results.return();
    });

    it('is right for any order of answers', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat(5), { maxLength: 60 }),
          fc.integer({ min: 1, max: 4 }),
          async (waits, concurrency) => {
            const own = new FakePool();
            for (const name of ['a', 'b', 'c']) {
              own.join(name, async ([wait]) => {
                for (let turn = 0; turn < (wait as number); turn += 1) await settle();
                return wait;
              });
            }
            const results = map(waits, { candidates: own.candidates(), ordered: true, concurrency });
            expect(values(await gather(results))).to.deep.equal(waits);
          },
        ),
        { numRuns: 30 },
      );
    });
  });

  describe('when peers come and go', () => {
    it('uses a peer that joins meanwhile', async () => {
      const a = slow(pool, 'a');
      const results = map(numbers(4));
      void results.next();
      await settle();
      expect(a).to.have.length(2);
      const b = slow(pool, 'b');
      await settle();
      expect(b).to.have.length(2);
      await results.return();
    });

    it('repeats an input that certainly did not run on another peer', async () => {
      const gone = pool.join('gone', () => {
        pool.leave(gone);
        throw new NetError('NOT_SENT', 'gone');
      });
      const results = gather(map([1], { concurrency: 1 }));
      await settle();
      const here = pool.join('here', double);
      expect(await results).to.deep.equal([
        { index: 0, input: 1, status: 'fulfilled', value: 2, peer: here },
      ]);
    });

    for (const idempotent of [true, false]) {
      it(`${idempotent ? 'repeats' : 'does not repeat'} an input that may have run, when the function is ${idempotent ? '' : 'not '}idempotent`, async () => {
        const gone = pool.join('gone', () => {
          pool.leave(gone);
          throw new NetError('CONNECTION_LOST', 'gone');
        });
        pool.join('here', double).load = 9;
        const [result] = await gather(map([1], { concurrency: 1, idempotent }));
        if (idempotent) expect(result).to.include({ status: 'fulfilled', value: 2 });
        else
          expect((result as { reason: NetError }).reason).to.include({
            code: 'CONNECTION_LOST',
            ran: 'unknown',
          });
      });
    }

    it('gives up an input that four peers were lost with', async () => {
      for (let index = 0; index < 9; index += 1) {
        const peer = pool.join(`p${index}`, () => {
          pool.leave(peer);
          throw new NetError('CONNECTION_LOST', 'crashed');
        });
      }
      const [result] = await gather(map(['poison'], { idempotent: true }));
      expect((result as { reason: NetError }).reason).to.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
      expect(pool.called).to.have.length(4);
    });

    it('spares an overloaded peer, and loses nothing', async () => {
      let refused = 0;
      pool.join('full', () => {
        refused += 1;
        throw new NetError('OVERLOADED', 'full');
      });
      pool.join('fit', async ([x]) => {
        await settle();
        return x;
      });
      const results = await gather(map(numbers(200), { ordered: true }));
      expect(values(results)).to.deep.equal(numbers(200));
      // Not one for each input.
      expect(refused).to.be.below(10);
    });

    it('waits for a peer as long as a call may take, then throws and suggests similar names', async () => {
      pool.join('b', () => 1, { functions: ['worm'] });
      const error = failure(map([1]).next());
      await pool.pass(999);
      expect(pool.source.current()).to.have.length(1);
      await pool.pass(1);
      expect(((await error) as Error).message).to.include('did you mean worm?');
      // Somebody who comes in time makes all of it good.
      const results = gather(map([1]));
      await pool.pass(900);
      pool.join('late', double);
      expect(values(await results)).to.deep.equal([2]);
    });

    it('rejects an input by its deadline when no peer is left for it', async () => {
      const gone = pool.join('gone', () => {
        pool.leave(gone);
        throw new NetError('NOT_SENT', 'gone');
      });
      const results = map([1, 2], { concurrency: 1 });
      const first = results.next();
      await pool.pass(1_000);
      const { reason } = (await first).value as { reason: NetError };
      expect(reason).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'no' });
      expect(reason.cause).to.include({ code: 'NOT_SENT' });
      // The second was not even taken.
      expect(await failure(results.next())).to.include({ code: 'NO_SUCH_TAG' });
    });
  });

  it('reports its progress', async () => {
    const told: MapProgress[] = [];
    pool.join('a', ([x]) => {
      if (x === 1) throw new Error('one');
      return x;
    });
    await gather(map(numbers(3), { concurrency: 1, onProgress: (progress) => told.push(progress) }));
    expect(told[0]).to.deep.equal({ done: 0, failed: 0, running: 0, peers: 1, total: 3 });
    expect(told.at(-1)).to.deep.equal({ done: 3, failed: 1, running: 0, peers: 1, total: 3 });
    expect(told.map(({ done }) => done)).to.deep.equal([0, 1, 2, 3]);
  });

  it('learns how many inputs there are when the last one has been taken', async () => {
    const told: (number | undefined)[] = [];
    pool.join('a', double);
    await gather(map(numbers(3).values(), { onProgress: ({ total }) => told.push(total) }));
    expect([told[0], told.at(-1)]).to.deep.equal([undefined, 3]);
  });
});
