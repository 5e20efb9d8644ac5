import { PassThrough } from 'node:stream';

import { expect } from 'chai';

import { NetError } from '../../src/index.ts';
import type { Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';
import { uncaught } from '../support/uncaught.ts';

/** Streams allowed at once in these specs. */
const MOST = 4;

const never = (): Promise<never> => new Promise(() => {});

/** One source of each kind that gives a value and then says nothing, and whether it was ended. */
const SILENT = {
  'a Node stream': () => {
    const stream = new PassThrough({ objectMode: true });
    stream.write('first');
    return { stream, ended: () => stream.destroyed };
  },
  'a ReadableStream': () => {
    let cancelled = false;
    const stream = new ReadableStream({
      start: (controller) => controller.enqueue('first'),
      cancel: () => void (cancelled = true),
    });
    return { stream, ended: () => cancelled };
  },
  'an iterator whose return() hangs': () => {
    let returned = false;
    const steps = [Promise.resolve({ done: false as const, value: 'first' })];
    const iterator = {
      next: () => steps.shift() ?? never(),
      return: () => {
        returned = true;
        return never();
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return { stream: iterator, ended: () => returned };
  },
  'an async generator': () => {
    async function* source(): AsyncGenerator<string> {
      yield 'first';
      await never();
    }
    // Its `return()` waits behind the `next()`, whatever anybody does.
    return { stream: source(), ended: () => true };
  },
} satisfies Record<string, () => { stream: AsyncIterable<string>; ended: () => boolean }>;

/** Iterators that do not keep to their protocol. */
const BROKEN: Record<string, () => unknown> = {
  'resolves with undefined': () => Promise.resolve(undefined),
  'resolves with a number': () => Promise.resolve(1),
  'has a `done` that throws': () => ({
    get done(): boolean {
      throw new Error('done');
    },
  }),
  'has a `value` that throws': () => ({
    done: false,
    get value(): unknown {
      throw new Error('value');
    },
  }),
  'is a thenable whose `then` throws': () => ({
    // oxlint-disable-next-line unicorn/no-thenable
    get then(): unknown {
      throw new Error('then');
    },
  }),
  throws: () => {
    throw new Error('next');
  },
};

function brokenStream(step: () => unknown): AsyncIterable<unknown> {
  return { [Symbol.asyncIterator]: () => ({ next: step as () => Promise<IteratorResult<unknown>> }) };
}

describe('the life of a stream', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  let a: Peer;
  let b: Peer;
  let toB: RemotePeer;
  let unhandled: unknown[];
  const note = (reason: unknown): void => void unhandled.push(reason);

  beforeEach(async () => {
    unhandled = [];
    process.on('unhandledRejection', note);
    network = new MemoryNetwork();
    ({ a, b, toB } = await stage.pair({ network, limits: { streams: MOST } }));
  });

  afterEach(async () => {
    await stage.clear();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).to.deep.equal([]);
  });

  for (const [kind, make] of Object.entries(SILENT)) {
    it(`frees its place at once when its reader leaves while it is silent: ${kind}`, async () => {
      const made: { ended: () => boolean }[] = [];
      b.connect('silent', () => {
        const source = make();
        made.push(source);
        return source.stream;
      });
      for (let n = 0; n < 3 * MOST; n += 1) {
        for await (const value of toB.stream('silent')) {
          expect(value).to.equal('first');
          break;
        }
      }
      await eventually(() => expect(made.map(({ ended }) => ended())).to.not.include(false));
    });

    it(`ends when its reader is lost while it is silent: ${kind}`, async () => {
      const source = make();
      b.connect('silent', () => source.stream);
      const stream = toB.stream('silent');
      await stream.next();
      network.cut(a.id, b.id);
      await eventually(() => expect(source.ended()).to.equal(true));
      expect(await failure(stream.next()))
        .to.be.instanceOf(NetError)
        .with.property('code', 'CONNECTION_LOST');
    });

    it(`ends when the call that it is an argument of is answered: ${kind}`, async () => {
      b.connect('first', async (values: AsyncIterable<string>) => {
        // Not with `for await`, whose end would cancel it from there.
        const { value } = (await values[Symbol.asyncIterator]().next()) as { value: string };
        return value;
      });
      for (let n = 0; n < 3 * MOST; n += 1) {
        const source = make();
        expect(await toB.call('first', [source.stream])).to.equal('first');
        expect(source.ended()).to.equal(true);
      }
    });
  }

  it('can be left while its reader waits, and while it is being opened', async () => {
    b.connect('hangs', never);
    b.connect('silent', () => SILENT['a ReadableStream']().stream);
    const silent = toB.stream('silent');
    await silent.next();
    const waits = silent.next();
    await silent.return(undefined);
    expect(await waits).to.deep.equal({ done: true, value: undefined });
    const stop = new AbortController();
    const opening = toB.stream('hangs', [], { signal: stop.signal });
    const first = failure(opening.next());
    expect(await opening.return('left')).to.deep.equal({ done: true, value: 'left' });
    stop.abort(new Error('enough'));
    expect(await first).to.have.property('message', 'enough');
  });

  it('ends there when the promise of it is left before it was read', async () => {
    const source = SILENT['a ReadableStream']();
    b.connect('silent', () => source.stream);
    const silent = a.remote<() => AsyncIterable<string>>('silent').on(toB)();
    await silent.return(undefined);
    await eventually(() => expect(source.ended()).to.equal(true));
  });

  it('may fail after it was left, without any effect', async () => {
    const made: PassThrough[] = [];
    b.connect('late', () => {
      const stream = new PassThrough({ objectMode: true });
      stream.write(1);
      made.push(stream);
      return stream;
    });
    let wake: (error: Error) => void;
    let ended = false;
    b.connect('generator', async function* generator() {
      try {
        yield 1;
        await new Promise((_, reject) => (wake = reject));
      } finally {
        ended = true;
      }
    });
    const errors = uncaught();
    try {
      for (const tag of ['late', 'generator']) {
        for await (const _ of toB.stream(tag)) break;
      }
      await eventually(() => expect(made[0]!.destroyed).to.equal(true));
      made[0]!.emit('error', new Error('late'));
      wake!(new Error('late'));
      await eventually(() => expect(ended).to.equal(true));
    } finally {
      errors.stop();
    }
    expect(errors.errors).to.deep.equal([]);
  });

  for (const [kind, step] of Object.entries(BROKEN)) {
    it(`is the only thing that fails when its iterator ${kind}`, async () => {
      b.connect('broken', () => brokenStream(step));
      b.connect('read', async (values: AsyncIterable<unknown>) => {
        for await (const _ of values);
      });
      expect(await failure(toB.stream('broken').next())).to.be.instanceOf(Error);
      expect(await failure(toB.call('read', [brokenStream(step)]))).to.be.instanceOf(Error);
      const one = a.remote<(n: unknown) => unknown>('read');
      expect(await failure(one.map(brokenStream(step)).next())).to.be.instanceOf(Error);
    });
  }

  it('fails with TOO_LARGE when its error is too large to send, and the connection stays', async () => {
    const { toB: to, b: small } = await stage.pair({
      network: new MemoryNetwork(),
      limits: { message: 256 * 1024 },
    });
    small.connect('read', async (values: AsyncIterable<unknown>) => {
      for await (const _ of values);
    });
    async function* fails(): AsyncGenerator<number> {
      yield 1;
      throw Object.assign(new Error('large'), { detail: ['x'.repeat(100_000), 'y'.repeat(200_000)] });
    }
    expect(await failure(to.call('read', [fails()]))).to.be.instanceOf(Error);
    expect(await to.ping()).to.be.a('number');
  });
});
