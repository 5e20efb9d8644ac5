import { expect } from 'chai';

import { callAny } from '../../src/many/any.ts';
import type { AnyCall } from '../../src/many/any.ts';
import { runBriefly } from '../../src/calls/context.ts';
import { NetError } from '../../src/index.ts';
import type { CallOptions, NetErrorCode, Ran } from '../../src/index.ts';
import { failure } from '../support/peers.ts';
import { FakePool, settle } from '../support/pool.ts';

const fails = (code: NetErrorCode, ran?: Ran) => (): never => {
  throw new NetError(code, `${code} it is`, { ran });
};

describe('a call to any peer', () => {
  let pool: FakePool;

  beforeEach(() => {
    pool = new FakePool();
  });

  const call = (changes: Partial<AnyCall> = {}, ...args: unknown[]): Promise<unknown> =>
    callAny(
      {
        candidates: pool.candidates(),
        idempotent: false,
        time: 1_000,
        wait: false,
        signal: undefined,
        ...changes,
      },
      args,
    );

  describe('after a failure on one peer', () => {
    // The code, whether the function ran, whether it may run twice, and whether the call goes to another peer.
    const cases: [NetErrorCode, Ran, idempotent: boolean, again: boolean][] = [
      ['NOT_SENT', 'no', false, true],
      ['REFUSED', 'no', false, true],
      ['OVERLOADED', 'no', false, true],
      ['NO_SUCH_TAG', 'no', false, true],
      ['NOT_SERIALIZABLE', 'no', true, false],
      ['TOO_LARGE', 'no', true, false],
      ['BAD_REQUEST', 'no', true, false],
      ['TOO_LARGE', 'yes', true, false],
      ['UNAUTHENTICATED', 'no', true, false],
      ['INSECURE', 'no', true, false],
      ['CONNECTION_LOST', 'unknown', false, false],
      ['CONNECTION_LOST', 'unknown', true, true],
      ['DEADLINE_EXCEEDED', 'unknown', true, false],
      ['DEADLINE_EXCEEDED', 'no', true, false],
      ['CANCELLED', 'unknown', true, false],
      ['STOPPED', 'no', true, false],
      // A NetError that the function itself threw.
      ['OVERLOADED', 'yes', true, false],
    ];
    for (const [code, ran, idempotent, again] of cases) {
      const what = `${code}, ran: ${ran}, ${idempotent ? 'idempotent' : 'not idempotent'}`;
      it(`${again ? 'is repeated on another' : 'is not repeated'}: ${what}`, async () => {
        pool.join('first', fails(code, ran));
        pool.join('second', () => 'done').load = 1;
        if (again) expect(await call({ idempotent })).to.equal('done');
        else expect(await failure(call({ idempotent }))).to.include({ code, ran, message: `${code} it is` });
        expect(pool.called).to.deep.equal(again ? ['first', 'second'] : ['first']);
      });
    }

    it('is not repeated when the function threw', async () => {
      pool.join('first', () => {
        throw new RangeError('mine');
      });
      pool.join('second', () => 1).load = 1;
      expect(await failure(call({ idempotent: true }))).to.be.instanceOf(RangeError);
      expect(pool.called).to.deep.equal(['first']);
    });

    for (const [code, again] of [
      ['NOT_SENT', true],
      ['REFUSED', true],
      ['OVERLOADED', true],
      ['CONNECTION_LOST', false],
    ] as const) {
      it(`is ${again ? '' : 'not '}repeated with a stream among its arguments: ${code}`, async () => {
        pool.join('first', fails(code));
        pool.join('second', () => 'done').load = 1;
        async function* stream(): AsyncGenerator<number> {
          yield 1;
        }
        const pending = call({ idempotent: true }, stream());
        if (again) expect(await pending).to.equal('done');
        else expect(await failure(pending)).to.include({ code });
      });
    }

    it('is repeated ten times, and no more, when no thread can begin it', async () => {
      pool.join('only', fails('THREAD_LOST', 'no'));
      const pending = failure(call({ time: 60_000 }));
      await pool.pass(20_000);
      expect(await pending).to.include({ code: 'THREAD_LOST', ran: 'no' });
      expect(pool.called).to.have.length(11);
    });

    it('is not repeated when it was cancelled, whatever the reason of the signal says', async () => {
      const controller = new AbortController();
      pool.join('first', () => {
        controller.abort(new NetError('NOT_SENT', 'the reason'));
        throw controller.signal.reason;
      });
      pool.join('second', () => 1).load = 1;
      expect(await failure(call({ signal: controller.signal }))).to.include({ message: 'the reason' });
      expect(pool.called).to.deep.equal(['first']);
    });

    it('passes on the arguments and the rest of the deadline', async () => {
      pool.join('first', async () => {
        pool.clock.increment(400);
        fails('NOT_SENT')();
      });
      const seen: unknown[] = [];
      pool.join('second', (args, { deadline }) => seen.push(args, deadline)).load = 1;
      await call({}, 'a', 'b');
      expect(seen).to.deep.equal([['a', 'b'], 600]);
    });
  });

  it('returns to an overloaded peer after a pause with full jitter, and doubles the pause', async () => {
    let free = false;
    pool.join('only', () => (free ? 'done' : fails('OVERLOADED')()));
    const pending = call();
    const attempts = (): number => pool.called.length;
    await settle();
    expect(attempts()).to.equal(1);
    // One half of 25, of 50, of 100.
    for (const pause of [13, 25, 50]) {
      const before = attempts();
      await pool.pass(pause - 1);
      expect(attempts(), 'too early').to.equal(before);
      await pool.pass(1);
      expect(attempts(), 'too late').to.equal(before + 1);
    }
    free = true;
    await pool.pass(100);
    expect(await pending).to.equal('done');
  });

  it('fails with the last failure, unchanged, when no further attempt fits into the deadline', async () => {
    pool.join('only', fails('OVERLOADED'));
    const pending = failure(call({ time: 60 }));
    await pool.pass(60);
    expect(await pending).to.include({ code: 'OVERLOADED', message: 'OVERLOADED it is' });
    expect(pool.called).to.have.length(3);
  });

  it('tries at most three peers without a pause', async () => {
    for (let index = 0; index < 10; index += 1) pool.join(`p${index}`, fails('OVERLOADED'));
    const pending = failure(call({ time: 100 }));
    await settle();
    expect(pool.called).to.have.length(3);
    await pool.pass(100);
    await pending;
  });

  it('may be lost with three peers, but not with a fourth, when its function is idempotent', async () => {
    for (let index = 0; index < 9; index += 1) pool.join(`p${index}`, fails('CONNECTION_LOST'));
    const pending = failure(call({ idempotent: true }));
    await pool.pass(100);
    expect(await pending).to.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
    expect(pool.called).to.have.length(4);
  });

  it('never says that the function did not run when an earlier attempt may have run it', async () => {
    const first = pool.join('first', () => {
      pool.leave(first);
      return fails('CONNECTION_LOST')();
    });
    const second = pool.join('second', () => {
      pool.leave(second);
      return fails('NOT_SENT')();
    });
    second.load = 1;
    const error = (await failure(call({ idempotent: true }))) as NetError;
    expect(error).to.include({ code: 'NOT_SENT', ran: 'unknown', retriable: false });
    expect(error.message).to.include('may have run');
    expect(error.cause).to.include({ code: 'NOT_SENT', ran: 'no' });
  });

  it('skips a peer that answered that it has no such function, whatever it announced', async () => {
    pool.join('liar', fails('NO_SUCH_TAG'));
    expect(await failure(call())).to.include({ code: 'NO_SUCH_TAG', message: 'NO_SUCH_TAG it is' });
    expect(pool.called).to.deep.equal(['liar']);
  });

  it('has at most the time of the call that it is made in', async () => {
    const { signal } = new AbortController();
    const context = { caller: undefined, tag: 'outer', meta: {}, trace: undefined };
    const outer = { ...context, signal, deadline: 100, settled: false };
    const seen: CallOptions[] = [];
    pool.join('first', (_, options) => seen.push(options));
    await runBriefly({ context: () => outer }, () => call({ time: 1_000 }), []);
    await runBriefly({ context: () => outer }, () => call({ time: 50 }), []);
    expect(seen).to.deep.equal([
      { deadline: 100, signal, meta: undefined },
      { deadline: 50, signal, meta: undefined },
    ]);
  });

  describe('chooses', () => {
    it('the less busy one of two', async () => {
      pool.join('busy', () => 1).load = 1;
      pool.join('idle', () => 1);
      for (let count = 0; count < 10; count += 1) await call();
      expect(new Set(pool.called)).to.deep.equal(new Set(['idle']));
    });

    it('the less busy one of two random peers among many', async () => {
      for (let load = 0; load < 5; load += 1) pool.join(`p${load}`, () => 1).load = load;
      pool.randoms.push(0.99, 0.7);
      await call();
      // The fifth, and of the other four, counted from there, the third.
      expect(pool.called).to.deep.equal(['p2']);
    });

    it('another peer than one that was overloaded a moment ago', async () => {
      let overloaded = true;
      pool.join('first', () => (overloaded ? fails('OVERLOADED')() : 1));
      pool.join('second', () => 1).load = 1;
      await call();
      pool.called.length = 0;
      overloaded = false;
      await call();
      expect(pool.called).to.deep.equal(['second']);
      await pool.pass(25);
      await call();
      expect(pool.called).to.deep.equal(['second', 'first']);
    });
  });

  describe('when no peer has the function', () => {
    it('fails, and suggests similar names', async () => {
      pool.join('b', () => 1, { functions: ['worm', 'other'] });
      const error = (await failure(call())) as NetError;
      expect(error).to.include({ code: 'NO_SUCH_TAG', ran: 'no', retriable: true, tag: 'work' });
      expect(error.message).to.equal(
        'one peer was found, and it does not have a function "work"; did you mean worm?',
      );
    });

    it('names a peer that has it and was not selected', async () => {
      pool.join('far', () => 1, { group: 'gpu' });
      const error = (await failure(call())) as NetError;
      expect(error.message).to.include('peer "far" (far), group "gpu", has it but is not selected');
    });

    it('waits for such a peer on request, until the deadline', async () => {
      const pending = call({ wait: true });
      await pool.pass(100);
      pool.join('late', () => 'done');
      expect(await pending).to.equal('done');

      pool.leave(pool.join('gone', () => 1));
      const never = failure(
        callAny(
          {
            candidates: pool.candidates({ name: 'x' }),
            idempotent: false,
            time: 50,
            wait: true,
            signal: undefined,
          },
          [],
        ),
      );
      await pool.pass(50);
      const error = (await never) as NetError;
      expect(error).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'no' });
      expect(error.message).to.include('no peer had the function before the deadline');
    });

    it('waits for the end of the first search, and uses a peer that is found before', async () => {
      pool.source.searched = false;
      const pending = call();
      pool.join('soon', () => 'done');
      expect(await pending).to.equal('done');
    });

    it('ends at once with the reason of an aborted signal', async () => {
      const controller = new AbortController();
      const pending = failure(call({ wait: true, signal: controller.signal }));
      await settle();
      controller.abort('enough');
      expect(await pending).to.equal('enough');
      expect(await failure(call({ wait: true, signal: controller.signal }))).to.equal('enough');
    });

    it('ends when the local peer does', async () => {
      const pending = failure(call({ wait: true }));
      await settle();
      pool.source.end(new NetError('STOPPED', 'over'));
      expect(await pending).to.include({ code: 'STOPPED' });
      expect(await failure(call())).to.include({ code: 'STOPPED' });
    });
  });
});
