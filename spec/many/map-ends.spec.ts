import { getEventListeners } from 'node:events';

import { expect } from 'chai';

import { NetError } from '../../src/index.ts';
import type { MapProgress, Results } from '../../src/index.ts';
import type { MapCall } from '../../src/many/map-options.ts';
import type { Inputs } from '../../src/many/map-inputs.ts';
import { double, gather, mapOver, numbers, slow } from '../support/map.ts';
import type { Result } from '../support/map.ts';
import { failure } from '../support/peers.ts';
import { FakePool, settle } from '../support/pool.ts';

describe('a map ends', () => {
  let pool: FakePool;

  beforeEach(() => {
    pool = new FakePool();
  });

  const map = (inputs: Inputs<unknown>, changes?: Partial<MapCall>): Results<Result> =>
    mapOver(pool, inputs, changes);

  it('when the loop is left: its calls are cancelled, and the generator of inputs is closed', async () => {
    let signal: AbortSignal | undefined;
    pool.join('a', (_, options) => {
      signal = options.signal;
      return signal!.aborted
        ? 1
        : new Promise((_resolve, reject) =>
            signal!.addEventListener('abort', () => reject(signal!.reason as Error)),
          );
    });
    pool.join('quick', double);
    let closed = false;
    async function* inputs(): AsyncGenerator<number> {
      try {
        for (let count = 0; ; count += 1) yield count;
      } finally {
        closed = true;
      }
    }
    for await (const _ of map(inputs())) break;
    await settle();
    expect([signal?.aborted, closed]).to.deep.equal([true, true]);
    expect(signal!.reason).to.include({ code: 'CANCELLED' });
  });

  it('at once when it is left while the loop waits', async () => {
    slow(pool, 'a');
    const results = map([1]);
    const next = results.next();
    await settle();
    await results.return();
    expect(await next).to.deep.equal({ done: true, value: undefined });
  });

  it('at once when its signal is aborted, with the reason', async () => {
    slow(pool, 'a');
    const controller = new AbortController();
    const next = failure(map([1], { signal: controller.signal }).next());
    await settle();
    controller.abort('enough');
    expect(await next).to.equal('enough');
    expect(await failure(map([1], { signal: controller.signal }).next())).to.equal('enough');
  });

  it('with the error of the inputs, after the results of earlier inputs', async () => {
    pool.join('a', double);
    const broken = function* (): Generator<number> {
      yield 1;
      throw new RangeError('inputs');
    };
    const results = map(broken());
    expect((await results.next()).value).to.include({ value: 2 });
    expect(await failure(results.next())).to.be.instanceOf(RangeError);
    expect(await results.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('with the error of the `where` of the selector, even when that throws for a peer that joins', async () => {
    slow(pool, 'a');
    let wrong = false;
    const where = (): boolean => {
      if (wrong) throw new RangeError('where');
      return true;
    };
    const results = map([1], { candidates: pool.candidates({ where }) });
    const next = failure(results.next());
    await settle();
    wrong = true;
    pool.join('b', double);
    expect(await next).to.be.instanceOf(RangeError);
  });

  it('when it goes out of scope, whatever the inputs do when they are closed', async () => {
    const open = slow(pool, 'a');
    const inputs = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false as const, value: 1 }),
        return: () => {
          throw new Error('they do not like it');
        },
      }),
    };
    {
      await using results = map(inputs);
      void results.next();
      await settle();
      expect(open).to.have.length(2);
    }
    open[0]!.answer(1);
    await settle();
    expect(open).to.have.length(2);
  });

  it('with the error of onProgress', async () => {
    pool.join('a', double);
    const onProgress = ({ done }: MapProgress): void => {
      if (done === 2) throw new RangeError('progress');
    };
    const results = map(numbers(5), { concurrency: 1, onProgress });
    expect(await failure(gather(results))).to.be.instanceOf(RangeError);
    expect(pool.called.length).to.be.below(5);
  });

  it('when the local peer stops', async () => {
    const results = map([1]);
    const next = failure(results.next());
    await settle();
    pool.source.end(new NetError('STOPPED', 'over'));
    expect(await next).to.include({ code: 'STOPPED' });
  });

  it('and leaves no timer or listener behind', async () => {
    pool.join('full', () => {
      throw new NetError('OVERLOADED', 'full');
    });
    pool.join('a', double);
    const { signal } = new AbortController();
    await gather(map(numbers(5), { signal }));
    expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
    expect(pool.timers()).to.equal(0);
  });
});
