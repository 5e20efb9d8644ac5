import { createReadStream } from 'node:fs';
import { PassThrough } from 'node:stream';

import { expect } from 'chai';

import type { CallOptions, Connected, Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';
import { uncaught } from '../support/uncaught.ts';

type Store = (bytes: AsyncIterable<unknown>) => Promise<number>;

/** A file that cannot be opened: its stream fails a moment after it was made, whoever has it then. */
const missing = (): AsyncIterable<unknown> => createReadStream('/no/such/file');

/** One stream of each kind that says nothing, and whether it was ended. */
function silentStreams(): { stream: AsyncIterable<unknown>; ended: () => boolean }[] {
  const node = new PassThrough();
  let cancelled = false;
  const web = new ReadableStream({ cancel: () => void (cancelled = true) });
  let returned = false;
  const iterator = {
    next: (): Promise<never> => new Promise(() => {}),
    return: (): Promise<IteratorResult<unknown>> => {
      returned = true;
      return Promise.reject(new Error('what an iterator that was left throws is ignored'));
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return [
    { stream: node, ended: () => node.destroyed },
    { stream: web, ended: () => cancelled },
    { stream: iterator, ended: () => returned },
  ];
}

describe('a stream that is an argument of a call', () => {
  const stage = new Stage();
  let a: Peer;
  let toB: RemotePeer;
  let b: Peer;
  let echo: Connected<(stream: AsyncIterable<unknown>) => AsyncGenerator>;
  let errors: ReturnType<typeof uncaught>;

  beforeEach(async () => {
    errors = uncaught();
    ({ a, b, toB } = await stage.pair({
      network: new MemoryNetwork(),
      limits: { calls: 1, queue: 1, message: 65_536 },
    }));
    b.connect('store', async (bytes: AsyncIterable<unknown>) => {
      let count = 0;
      for await (const _ of bytes) count += 1;
      return count;
    });
    b.connect('ignores', () => 'done');
    echo = b.connect('echo', async function* values(stream: AsyncIterable<unknown>) {
      yield* stream;
    });
    b.connect('hangs', () => new Promise<never>(() => {}));
    await a.peers.ready('hangs');
  });

  afterEach(async () => {
    await stage.clear();
    await new Promise((resolve) => setImmediate(resolve));
    errors.stop();
    expect(errors.errors).to.deep.equal([]);
  });

  const store = (): ReturnType<typeof a.remote<Store>> => a.remote<Store>('store');
  const absent = (): ReturnType<typeof a.remote<Store>> => a.remote<Store>('absent');
  /** Takes the one place that there is, until the end of the test. */
  const occupy = (): void => void failure(toB.call('hangs'));

  describe('fails the call with its own error when it fails while the call', () => {
    const WAITS: Record<string, (stream: AsyncIterable<unknown>) => Promise<unknown>> = {
      'is sent at once': (stream) => store().on(toB)(stream),
      'waits for a peer that has the function': (stream) => absent().any({}, { wait: true })(stream),
      'waits in a queue': (stream) => {
        occupy();
        return store().on(toB)(stream);
      },
      'waits in a queue, made by any()': (stream) => {
        occupy();
        return store().any()(stream);
      },
      'is one of a map, and waits in a queue': (stream) => {
        occupy();
        return store()
          .map([1], { args: () => [stream] })
          .next()
          .then(rejection);
      },
      'is in a hook that never makes it': (stream) => {
        a.use(() => new Promise(() => {}));
        return store().on(toB)(stream);
      },
      'is in a hook that never makes it, made by any()': (stream) => {
        a.use(() => new Promise(() => {}));
        return store().any()(stream);
      },
      'opens a stream, and is sent at once': (stream) => toB.stream('echo', [stream]).next(),
      'opens a stream that is read later': async (stream) => {
        const values = toB.stream('echo', [stream]);
        await new Promise((resolve) => (stream as unknown as PassThrough).once('close', resolve));
        return values.next();
      },
    };
    for (const [what, call] of Object.entries(WAITS)) {
      it(what, async () => {
        expect(await failure(call(missing()))).to.have.property('code', 'ENOENT');
      });
    }

    it('waits for the first search for a peer by its id', async () => {
      const alone = stage.make({ network: new MemoryNetwork() });
      const started = alone.start();
      expect(await failure(alone.remote<Store>('store').on('nobody')(missing()))).to.be.instanceOf(Error);
      await started;
    });
  });

  describe('ends with the call', () => {
    const ENDS: Record<string, (stream: AsyncIterable<unknown>) => unknown> = {
      'that is answered without a look at it': (stream) => toB.call('ignores', [stream]),
      'that nobody has the function for': (stream) => toB.call('absent', [stream]),
      'of any() that nobody has the function for': (stream) => absent().any()(stream),
      'whose deadline has passed': (stream) => toB.call('store', [stream], { deadline: 0 }),
      'that does not fit into the queue': (stream) => {
        occupy();
        void failure(toB.call('ignores'));
        return toB.call('store', [stream]);
      },
      'whose signal is aborted': (stream) =>
        toB.call('store', [stream], { signal: AbortSignal.abort(new Error('enough')) }),
      'that is taken back while it is sent': (stream) => {
        const stop = new AbortController();
        const call = toB.call('store', [stream], { signal: stop.signal });
        stop.abort(new Error('enough'));
        return call;
      },
      'whose other arguments are too large': (stream) => toB.call('store', [stream, 'x'.repeat(100_000)]),
      'whose other arguments cannot be carried': (stream) => toB.call('store', [stream, () => 1]),
      'with options that there are not': (stream) =>
        toB.call('store', [stream], { deadlin: 1 } as CallOptions),
      'of a function that a hook answers for': (stream) => {
        a.use(() => 'no need');
        return toB.call('store', [stream]);
      },
      'that a hook refuses': (stream) => {
        a.use(() => Promise.reject(new Error('refused')));
        return store().any()(stream);
      },
      'of all()': (stream) => store().all()(stream),
      'of a map whose loop is left': async (stream) => {
        occupy();
        const results = store().map([1], { args: () => [stream] });
        const first = results.next();
        await eventually(() => expect(toB.loadFor('store').calls).to.equal(2));
        await results.return();
        return first;
      },
      'of a peer that was stopped': async (stream) => {
        await a.stop();
        return toB.call('store', [stream]);
      },
      'of a stream that was left before it was read': (stream) =>
        toB.stream('echo', [stream]).return(undefined),
      'of a stream of any() that was left before it was read': (stream) =>
        echo.any()(stream).return(undefined),
    };
    for (const [what, end] of Object.entries(ENDS)) {
      it(what, async () => {
        for (const { stream, ended } of silentStreams()) {
          await failure((async () => end(stream))());
          expect(ended()).to.equal(true);
        }
      });
    }
  });

  it('is sent by the attempt that finds a peer, after attempts that sent nothing of it', async () => {
    const found = absent().any(
      {},
      { wait: true },
    )(
      (async function* values() {
        yield* [1, 2, 3];
      })(),
    );
    b.connect('absent', async (values: AsyncIterable<unknown>) => {
      let count = 0;
      for await (const _ of values) count += 1;
      return count;
    });
    expect(await found).to.equal(3);
  });

  describe('starts at another peer', () => {
    /** 100 values are more than are sent before the other side asks for more. Says how many were read of it. */
    function hundred(): { values: AsyncGenerator<number>; read: () => number } {
      let read = 0;
      async function* values(): AsyncGenerator<number> {
        for (read = 0; read < 100;) yield (read += 1);
      }
      return { values: values(), read: () => read };
    }
    const sum = async (values: AsyncIterable<unknown>): Promise<number> => {
      let total = 0;
      for await (const value of values) total += value as number;
      return total;
    };

    for (const way of ['any', 'map'] as const) {
      it(`when the first one stops and does not accept the call, made by ${way}()`, async () => {
        const network = new MemoryNetwork({ latency: 20 });
        const pair = await stage.pair({ network });
        pair.b.connect('sum', sum);
        await pair.a.peers.ready('sum');
        const far = pair.a.remote<typeof sum>('sum');
        const { values, read } = hundred();
        const total =
          way === 'any'
            ? far.any({}, { wait: true })(values)
            : far
                .map([1], { args: () => [values] })
                .next()
                .then(({ value }) => (value as { value: unknown }).value);
        // Under way, and what was sent of the stream with it.
        await eventually(() => read() > 0);
        const stopped = pair.b.stop();
        const other = stage.make({ network });
        other.connect('sum', sum);
        await other.start();
        expect(await total).to.equal(5_050);
        await stopped;
      });
    }

    it('or at the same peer later, when that is overloaded', async () => {
      const network = new MemoryNetwork();
      const pair = await stage.pair({ network, limits: { running: 1 } });
      let free: ((value?: unknown) => void) | undefined;
      pair.b.connect('wait', () => new Promise((resolve) => (free = resolve)));
      pair.b.connect('sum', sum);
      await pair.a.peers.ready('sum');
      const waits = pair.toB.call('wait');
      // A request with a stream may overtake others on a busy machine.
      await eventually(() => free !== undefined);
      const { values, read } = hundred();
      const total = pair.a.remote<typeof sum>('sum').any()(values);
      await eventually(() => read() > 0);
      free!();
      expect(await total).to.equal(5_050);
      await waits;
    });

    it('but not when the first peer has begun to read it', async () => {
      const network = new MemoryNetwork();
      const pair = await stage.pair({ network });
      let refuse: (error: Error) => void = () => {};
      pair.b.connect('sum', async (values: AsyncIterable<unknown>) => {
        for await (const value of values) if (value === 50) break;
        await new Promise((_, reject) => (refuse = reject));
      });
      pair.b.connect('begun', () => refuse.length);
      await pair.a.peers.ready('begun');
      const { values, read } = hundred();
      const call = failure(pair.a.remote<typeof sum>('sum').any()(values));
      await eventually(() => read() >= 50 && refuse.length > 0);
      network.cut(pair.a, pair.b);
      expect(await call).to.include({ code: 'CONNECTION_LOST' });
    });
  });
});

/** Throws the reason for which an input of a map was rejected. */
function rejection(result: IteratorResult<{ status: string; reason?: unknown }, void>): never {
  throw (result.value as { reason: unknown }).reason;
}
