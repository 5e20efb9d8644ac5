import { expect } from 'chai';

import { NetError, current } from '../../src/index.ts';
import type { Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';

/** Numbers from 0, `end` of them, and what became of the source. */
function counter(end = Infinity) {
  const seen = { sent: 0, finished: 0 };
  async function* count(): AsyncGenerator<number, string> {
    try {
      for (let n = 0; n < end; n += 1) {
        seen.sent += 1;
        yield n;
      }
      return 'done';
    } finally {
      seen.finished += 1;
    }
  }
  return { seen, count };
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a stream', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  let a: Peer;
  let b: Peer;
  let toB: RemotePeer;

  beforeEach(async () => {
    network = new MemoryNetwork();
    ({ a, b, toB } = await stage.pair({ network }));
  });

  afterEach(async () => {
    await eventually(() => expect(underWay()).to.deep.equal([0, 0, 0]));
    await stage.clear();
  });

  /** Every number that says something is still under way. */
  function underWay(): number[] {
    const { pending, waiting } = a.actor.system.get('caller').getSnapshot().context;
    return [pending, waiting, b.actor.system.get('dispatcher').getSnapshot().context.running];
  }

  describe('as a result', () => {
    it('is iterated there in the same way as here', async () => {
      const { count, seen } = counter(100);
      const numbers = b.connect('numbers', count);
      expect(await collect(numbers())).to.have.length(100);
      expect(await collect(numbers.on(toB)())).to.deep.equal(Array.from({ length: 100 }, (_, n) => n));
      expect(seen).to.deep.equal({ sent: 200, finished: 2 });
    });

    it('may be an async generator, an async iterable or a ReadableStream, at once or in a promise', async () => {
      const list = { [Symbol.asyncIterator]: () => counter(3).count() };
      b.connect('generator', () => counter(3).count());
      b.connect('iterable', () => list);
      b.connect('later', async () => list);
      b.connect('readable', () => ReadableStream.from([0, 1, 2]));
      for (const tag of ['generator', 'iterable', 'later', 'readable']) {
        expect(await collect(toB.stream(tag)), tag).to.deep.equal([0, 1, 2]);
        const result = (await toB.call(tag)) as AsyncIterable<number>;
        expect(await collect(result), tag).to.deep.equal([0, 1, 2]);
        const far = a.remote<() => AsyncGenerator<number>>(tag);
        expect(await collect(far.on(toB)()), tag).to.deep.equal([0, 1, 2]);
        expect(await collect(far.on(b.id)()), tag).to.deep.equal([0, 1, 2]);
      }
    });

    it('carries every value, undefined and falsy ones too', async () => {
      const values = [undefined, null, 0, '', false, { a: [] }];
      b.connect('values', async function* values_() {
        yield* values;
      });
      expect(await collect(toB.stream('values'))).to.deep.equal(values);
    });

    it('ends with what the generator returned', async () => {
      b.connect('numbers', counter(1).count);
      const stream = toB.stream('numbers');
      expect(await stream.next()).to.deep.equal({ done: false, value: 0 });
      expect(await stream.next()).to.deep.equal({ done: true, value: 'done' });
      expect(await stream.next()).to.deep.equal({ done: true, value: undefined });
    });

    it('throws the error of the generator, after the values before it', async () => {
      b.connect('fails', async function* fails() {
        yield 1;
        yield 2;
        throw new RangeError('midway');
      });
      const seen: unknown[] = [];
      const error = await failure(
        (async () => {
          for await (const value of toB.stream('fails')) seen.push(value);
        })(),
      );
      expect(seen).to.deep.equal([1, 2]);
      expect(error).to.be.instanceOf(RangeError).with.property('message', 'midway');
      expect((error as Error).stack)
        .to.include('streams.spec.ts')
        .and.to.include('peer "b"');
    });

    it('does not start before it is read', async () => {
      const { seen, count } = counter(3);
      let begun = 0;
      const numbers = b.connect('numbers', async function* numbers() {
        begun += 1;
        yield* count();
      });
      const stream = numbers.on(toB)();
      await turn();
      expect(begun).to.equal(0);
      await stream.return(undefined);
      expect(await stream.next()).to.deep.equal({ done: true, value: undefined });
      expect(seen.sent).to.equal(0);
    });

    it('runs the `finally` there when the reader breaks off', async () => {
      const { seen, count } = counter();
      const numbers = b.connect('numbers', count);
      for await (const value of numbers.on(toB)()) if (value === 5) break;
      await eventually(() => expect(seen.finished).to.equal(1));
    });

    it('waits for a reader that stops reading', async () => {
      const { seen, count } = counter();
      b.connect('numbers', count);
      const stream = toB.stream('numbers');
      await stream.next();
      for (let i = 0; i < 100; i += 1) await turn();
      expect(seen.sent).to.be.below(70);
      const before = seen.sent;
      for (let i = 0; i < 50; i += 1) await stream.next();
      expect(seen.sent).to.be.above(before);
      await stream.return(undefined);
    });

    it('ends there when the caller is lost, and here when the other side is lost', async () => {
      const { seen, count } = counter();
      b.connect('numbers', count);
      const stream = toB.stream('numbers');
      await stream.next();
      network.cut(a.id, b.id);
      await eventually(() => expect(seen.finished).to.equal(1));
      const error = await failure(collect(stream));
      expect(error).to.be.instanceOf(NetError).with.include({ code: 'CONNECTION_LOST', ran: 'yes' });
    });

    it('fails with the reason of an aborted signal, and ends there', async () => {
      const { seen, count } = counter();
      b.connect('numbers', count);
      const stop = new AbortController();
      const stream = toB.stream('numbers', [], { signal: stop.signal });
      await stream.next();
      stop.abort(new Error('enough'));
      expect(await failure(collect(stream))).to.have.property('message', 'enough');
      await eventually(() => expect(seen.finished).to.equal(1));
    });

    it('has no deadline for the whole, but one for silence while a reader waits', async () => {
      b.connect('slow', async function* slow() {
        for (let n = 0; ; n += 1) {
          await new Promise((resolve) => setTimeout(resolve, n < 8 ? 20 : 2_000).unref());
          yield n;
        }
      });
      const values: unknown[] = [];
      const reading = (async () => {
        for await (const value of toB.stream('slow', [], { deadline: 100 })) values.push(value);
      })();
      expect(await failure(reading)).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'yes' });
      expect(values).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
    });

    it('fails midway at a value that cannot be sent, and names it', async () => {
      let finished = false;
      b.connect('bad', async function* bad() {
        try {
          yield 1;
          yield { a: () => 1 };
        } finally {
          finished = true;
        }
      });
      const error = await failure(collect(toB.stream('bad')));
      expect(error).to.include({ code: 'NOT_SERIALIZABLE', ran: 'yes' });
      expect((error as Error).message).to.include('value.a is a function');
      await eventually(() => expect(finished).to.equal(true));
    });

    it('is refused when too many are open, until there is room again', async () => {
      const { toB: to } = await stage.pair({ network: new MemoryNetwork(), limits: { streams: 2 } });
      const busy = stage.made.at(-1)!;
      busy.connect('numbers', counter().count);
      const open = [to.stream('numbers'), to.stream('numbers')];
      for (const each of open) await each.next();
      const error = await failure(to.stream('numbers').next());
      expect(error).to.include({ code: 'OVERLOADED', ran: 'no' });
      await open[0]!.return(undefined);
      await eventually(async () => expect((await to.stream('numbers').next()).value).to.equal(0));
    });

    it('fails with a clear error when the result is not a stream', async () => {
      b.connect('one', () => 1);
      const error = await failure(toB.stream('one').next());
      expect(error)
        .to.be.instanceOf(TypeError)
        .with.property('message')
        .that.includes('did not return a stream');
    });

    it('is returned in a promise when only the tag of the function is known and the caller awaits it', async () => {
      b.connect('add', (x: number, y: number) => x + y);
      const add = a.remote<(x: number, y: number) => number>('add');
      for (let i = 0; i < 3; i += 1) expect(await add.on(toB)(i, 1)).to.equal(i + 1);
    });
  });

  describe('as an argument', () => {
    beforeEach(() => {
      b.connect('sum', async (numbers: AsyncIterable<number>, more: number) => {
        let sum = more;
        for await (const n of numbers) sum += n;
        return sum;
      });
    });

    it('is read there', async () => {
      expect(await toB.call('sum', [counter(1_000).count(), 1])).to.equal(499_501);
      expect(await toB.call('sum', [ReadableStream.from([1, 2]), 1])).to.equal(4);
    });

    it('may come in and go out in the same call', async () => {
      b.connect('double', async function* double(numbers: AsyncIterable<number>) {
        for await (const n of numbers) yield 2 * n;
      });
      const doubled = await collect(toB.stream('double', [counter(200).count()]));
      expect(doubled).to.deep.equal(Array.from({ length: 200 }, (_, n) => 2 * n));
    });

    it('waits for a function that stops reading, and ends with one that breaks off', async () => {
      const { seen, count } = counter();
      b.connect('first', async (numbers: AsyncIterable<number>) => {
        for await (const n of numbers) {
          for (let i = 0; i < 50; i += 1) await turn();
          return n;
        }
        return undefined;
      });
      expect(await toB.call('first', [count()])).to.equal(0);
      await eventually(() => expect(seen.finished).to.equal(1));
      expect(seen.sent).to.be.below(70);
    });

    it('ends when the function does not read it', async () => {
      const { seen, count } = counter();
      b.connect('ignores', () => 'done');
      expect(await toB.call('ignores', [count()])).to.equal('done');
      await eventually(() => expect(seen.sent).to.be.below(70));
      const before = seen.sent;
      for (let i = 0; i < 50; i += 1) await turn();
      expect(seen.sent).to.equal(before);
    });

    it('throws the error of its source in the remote function', async () => {
      const seen: unknown[] = [];
      b.connect('reads', async (numbers: AsyncIterable<number>) => {
        try {
          for await (const n of numbers) seen.push(n);
        } catch (error) {
          seen.push((error as Error).message);
          throw error;
        }
      });
      async function* fails(): AsyncGenerator<number> {
        yield 1;
        throw new RangeError('the source broke');
      }
      const error = await failure(toB.call('reads', [fails()]));
      expect(seen).to.deep.equal([1, 'the source broke']);
      expect(error).to.be.instanceOf(RangeError);
    });

    it('may take longer than the deadline while values go on', async () => {
      async function* slow(): AsyncGenerator<number> {
        for (let n = 0; n < 10; n += 1) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          yield n;
        }
      }
      expect(await toB.call('sum', [slow(), 0], { deadline: 100 })).to.equal(45);
    });

    it('ends on both sides when the call is cancelled', async () => {
      const { seen, count } = counter();
      let reason: unknown;
      b.connect('reads', async (numbers: AsyncIterable<number>) => {
        try {
          for await (const _ of numbers) await turn();
        } catch (error) {
          reason = error;
        }
        return current().signal.aborted;
      });
      const stop = new AbortController();
      const call = failure(toB.call('reads', [count()], { signal: stop.signal }));
      await eventually(() => expect(seen.sent).to.be.above(0));
      stop.abort(new Error('enough'));
      expect(await call).to.have.property('message', 'enough');
      await eventually(() => expect(seen.finished).to.equal(1));
      await eventually(() => expect(reason).to.include({ code: 'CANCELLED' }));
    });
  });
});
