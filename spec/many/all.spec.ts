import { expect } from 'chai';

import { callAll } from '../../src/many/all.ts';
import type { PeerResult } from '../../src/many/all.ts';
import { NetError } from '../../src/index.ts';
import type { CallOptions, Results } from '../../src/index.ts';
import { failure } from '../support/peers.ts';
import { FakePool, settle } from '../support/pool.ts';

interface Told {
  answer: (value: unknown) => void;
  fail: (error: unknown) => void;
  options: CallOptions;
}

describe('a call to all peers', () => {
  let pool: FakePool;

  beforeEach(() => {
    pool = new FakePool();
  });

  const call = (changes: { time?: number; signal?: AbortSignal } = {}): Results<PeerResult<unknown>> =>
    callAll({ candidates: pool.candidates(), time: 1_000, signal: undefined, ...changes }, ['argument']);

  /** A peer that answers when it is told to. */
  function slow(name: string): Told {
    const told = {} as Told;
    pool.join(name, (_, options) => {
      told.options = options;
      return new Promise((resolve, reject) => Object.assign(told, { answer: resolve, fail: reject }));
    });
    return told;
  }

  const words = ({ peer, ...result }: PeerResult<unknown>): unknown[] => [
    peer.name,
    ...Object.values(result),
  ];

  it('yields the outcome of each peer as it arrives', async () => {
    const [a, b, c] = [slow('a'), slow('b'), slow('c')];
    const results = call();
    const error = new RangeError('not here');
    b.answer(1);
    expect(words((await results.next()).value!)).to.deep.equal(['b', 'fulfilled', 1]);
    c.fail(error);
    expect(words((await results.next()).value!)).to.deep.equal(['c', 'rejected', error]);
    a.answer(undefined);
    expect(words((await results.next()).value!)).to.deep.equal(['a', 'fulfilled', undefined]);
    expect(await results.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('ends at once when no peer has the function', async () => {
    pool.join('other', () => 1, { functions: [] });
    expect(await call().next()).to.deep.equal({ done: true, value: undefined });
  });

  it('goes out before any result is read, to the peers that are present then', async () => {
    pool.join('a', () => 1);
    const results = call();
    expect(pool.called).to.deep.equal(['a']);
    pool.join('b', () => 2);
    const names: string[] = [];
    for await (const { peer } of results) names.push(peer.name);
    expect(names).to.deep.equal(['a']);
  });

  it('waits for the end of the first search', async () => {
    pool.source.searched = false;
    pool.join('a', () => 1);
    const results = call();
    await settle();
    expect(pool.called).to.deep.equal([]);
    pool.source.searched = true;
    pool.join('b', () => 2);
    const names: string[] = [];
    for await (const { peer } of results) names.push(peer.name);
    expect(names).to.deep.equal(['a', 'b']);
  });

  it('cancels the unanswered calls when the loop is left', async () => {
    const [a, b] = [slow('a'), slow('b')];
    const results = call();
    a.answer(1);
    for await (const _ of results) break;
    expect(b.options.signal!.aborted).to.equal(true);
    expect(b.options.signal!.reason).to.include({ code: 'CANCELLED' });
    expect(await results.next()).to.deep.equal({ done: true, value: undefined });
    // A later failure of that call is ignored.
    b.fail(new Error('late'));
    await settle();
  });

  it('ignores failures that nobody reads', async () => {
    pool.join('a', () => {
      throw new Error('unheard');
    });
    call();
    // mocha fails on an unhandled rejection.
    await settle();
  });

  it('throws the reason of an aborted signal at once', async () => {
    const b = slow('b');
    const controller = new AbortController();
    const results = call({ signal: controller.signal });
    const next = failure(results.next());
    controller.abort('enough');
    expect(await next).to.equal('enough');
    expect(b.options.signal!.reason).to.equal('enough');
    expect(await failure(call({ signal: controller.signal }).next())).to.equal('enough');
  });

  it('throws when the local peer has stopped before the calls went out', async () => {
    pool.source.searched = false;
    const results = call();
    pool.source.end(new NetError('STOPPED', 'over'));
    expect(await failure(results.next())).to.include({ code: 'STOPPED' });
  });

  it('throws the error of the `where` of the selector', async () => {
    pool.join('a', () => 1);
    const candidates = pool.candidates({
      where: () => {
        throw new RangeError('where');
      },
    });
    const results = callAll({ candidates, time: 1, signal: undefined }, []);
    expect(await failure(results.next())).to.be.instanceOf(RangeError);
  });

  it('gives each call the full deadline', async () => {
    const a = slow('a');
    call({ time: 700 });
    expect(a.options.deadline).to.equal(700);
  });
});
