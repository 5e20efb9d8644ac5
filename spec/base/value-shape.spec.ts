// Objects with a `then` are the subject here.
// oxlint-disable unicorn/no-thenable

import { runInNewContext } from 'node:vm';

import { expect } from 'chai';

import { NetError } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { isStream, shapeOf, whenSettled } from '../../src/base/value-shape.ts';
import { Stage, failure, meet } from '../support/peers.ts';

const thrower = (): never => {
  throw new Error('no');
};
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe('the shape of a value', () => {
  const query = { then: () => {}, [Symbol.asyncIterator]: () => {} };
  const cases: [string, unknown, string][] = [
    ['a promise', Promise.resolve(1), 'promise'],
    ['a promise of another realm', runInNewContext('Promise.resolve(1)'), 'promise'],
    ['an object with a `then`, such as a query', { then: () => {} }, 'promise'],
    ['a function with a `then`', Object.assign(() => {}, { then: () => {} }), 'promise'],
    ['what can be both awaited and iterated', query, 'promise'],
    ['an async generator', (async function* () {})(), 'stream'],
    ['a ReadableStream', new ReadableStream(), 'stream'],
    ['a `then` that is no function', { then: 1 }, 'value'],
    ['a `then` that throws', Object.defineProperty({}, 'then', { get: thrower }), 'value'],
    ['an iterator that throws', Object.defineProperty({}, Symbol.asyncIterator, { get: thrower }), 'value'],
    ['a revoked proxy', revoked(), 'value'],
    ['null', null, 'value'],
    ['text', 'text', 'value'],
  ];
  for (const [what, value, shape] of cases) {
    it(`is recognized for ${what}: a ${shape}`, () => expect(shapeOf(value)).to.equal(shape));
  }
});

describe('a promise that is awaited', () => {
  const settled = (value: unknown): Promise<unknown[]> =>
    new Promise((resolve) => {
      const calls: unknown[] = [];
      const told = (result: unknown): void => {
        if (calls.push(result) === 1) setImmediate(() => resolve(calls));
      };
      whenSettled(value, told, told);
    });

  it('settles once, even when its `then` calls back several times', async () => {
    const twice = Object.assign(Promise.resolve('own'), {
      then: (done: (value: unknown) => void) => {
        done(1);
        done(2);
      },
    });
    expect(await settled(twice)).to.deep.equal(['own']);
    expect(await settled({ then: twice.then })).to.deep.equal([1]);
  });

  it('fails when its `constructor` or its `then` throws', async () => {
    const error = new Error('no constructor');
    const promise = Object.defineProperty(Promise.resolve(1), 'constructor', {
      get() {
        throw error;
      },
    });
    expect(await settled(promise)).to.deep.equal([error]);
    const thenable = {
      then() {
        throw error;
      },
    };
    expect(await settled(thenable)).to.deep.equal([error]);
  });
});

describe("a plain function that returns a call's promise", () => {
  const stage = new Stage();
  afterEach(() => stage.clear());

  const call = async (name: string, ...args: unknown[]): Promise<unknown> => {
    const network = new MemoryNetwork();
    const [client, gateway, worker] = ['client', 'gateway', 'worker'].map((id) =>
      stage.make({ id, network }),
    );
    worker!.connect('add', (a: number, b: number) => a + b);
    worker!.connect('fail', () => {
      throw new RangeError('no');
    });
    worker!.connect('count', async function* (to: number) {
      for (let at = 0; at < to; at += 1) yield at;
    });
    const forward = gateway!.remote('add');
    gateway!.connect('on', (...given: never[]) => forward.on('worker')(...given));
    gateway!.connect('any', (...given: never[]) => forward.any()(...given));
    gateway!.connect('failing', () => gateway!.remote('fail').on('worker')());
    gateway!.connect('counting', (...given: never[]) => gateway!.remote('count').any()(...given));
    await Promise.all([client!.start(), gateway!.start(), worker!.start()]);
    await meet(gateway!, 'worker');
    await meet(client!, 'gateway');
    return client!.remote(name).on('gateway')(...(args as never[]));
  };

  it('answers with the result of that call', async () => {
    expect(await call('on', 2, 3)).to.equal(5);
    await stage.clear();
    expect(await call('any', 2, 3)).to.equal(5);
  });

  it('fails with the failure of that call', async () => {
    expect(await failure(call('failing')))
      .to.be.instanceOf(RangeError)
      .with.property('message', 'no');
  });

  it('answers with the stream when that call returns a stream', async () => {
    const result = await call('counting', 3);
    if (!isStream(result)) throw new Error('no stream');
    const values: unknown[] = [];
    for await (const value of result) values.push(value);
    expect(values).to.deep.equal([0, 1, 2]);
  });

  it('is told to await the promise when it passes it as an argument', async () => {
    const { toB, b } = await stage.pair({ network: new MemoryNetwork() });
    b.connect('echo', (value: unknown) => value);
    const promise = toB.call('echo', [1]);
    const error = await failure(toB.call('echo', [promise]));
    expect(error).to.be.instanceOf(NetError).with.property('code', 'NOT_SERIALIZABLE');
    expect((error as Error).message).to.contain('args[0] is a promise (await it');
    expect(await promise).to.equal(1);
  });
});
