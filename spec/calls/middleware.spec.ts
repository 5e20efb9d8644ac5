import { expect } from 'chai';

import type { Hook, HookedCall, Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { failure, Stage } from '../support/peers.ts';

describe('a hook around calls', () => {
  const stage = new Stage();
  let a: Peer;
  let b: Peer;
  let toA: RemotePeer;
  let toB: RemotePeer;
  let order: string[];

  beforeEach(async () => {
    ({ a, b, toA, toB } = await stage.pair({ network: new MemoryNetwork() }));
    order = [];
    b.connect('add', (x: number, y: number) => {
      order.push('runs');
      return x + y;
    });
  });

  afterEach(() => stage.clear());

  const noted =
    (name: string): Hook =>
    async (call, next) => {
      order.push(`${name} ${call.direction}`);
      const result = await next();
      order.push(`${name} done`);
      return result;
    };

  it('wraps the call on both sides, the hook that was added first outermost', async () => {
    a.use(noted('a1'));
    a.use(noted('a2'));
    b.use(noted('b1'));
    b.use(noted('b2'));
    expect(await toB.call('add', [1, 2])).to.equal(3);
    expect(order).to.deep.equal([
      ...['a1 outgoing', 'a2 outgoing', 'b1 incoming', 'b2 incoming', 'runs'],
      ...['b2 done', 'b1 done', 'a2 done', 'a1 done'],
    ]);
  });

  it('sees the peer, the tag, the arguments and the deadline', async () => {
    const seen: HookedCall[] = [];
    const look: Hook = (call, next) => {
      seen.push(call);
      return next();
    };
    a.use(look);
    b.use(look);
    await toB.call('add', [1, 2], { deadline: 500 });
    const [outgoing, incoming] = seen as [HookedCall, HookedCall];
    expect(outgoing).to.include({ direction: 'outgoing', tag: 'add', peer: toB, deadline: 500 });
    expect(incoming).to.include({ direction: 'incoming', tag: 'add', peer: toA });
    expect(incoming.args).to.deep.equal([1, 2]);
    expect(incoming.deadline).to.be.within(1, 500);
    expect(incoming.signal).to.be.instanceOf(AbortSignal);
  });

  it('can refuse a call before its function is run', async () => {
    b.use((call, next) => {
      if (call.peer.name === 'a') throw new RangeError('not you');
      return next();
    });
    expect(await failure(toB.call('add', [1, 2]))).to.be.instanceOf(RangeError);
    expect(order).to.deep.equal([]);
  });

  it('can answer in place of the function, and change its answer', async () => {
    const off = b.use(() => 'cached');
    expect(await toB.call('add', [1, 2])).to.equal('cached');
    off();
    a.use(async (_, next) => ((await next()) as number) * 10);
    expect(await toB.call('add', [1, 2])).to.equal(30);
  });

  it('sees failures, and can replace them', async () => {
    a.use(async (_, next) => {
      try {
        return await next();
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    expect(await toB.call('nothing')).to.equal('NO_SUCH_TAG');
  });

  it('wraps streams too', async () => {
    a.use(noted('a'));
    b.use(noted('b'));
    b.connect('count', async function* count() {
      yield* [1, 2, 3];
    });
    const values: unknown[] = [];
    for await (const value of toB.stream('count')) values.push(value);
    expect(values).to.deep.equal([1, 2, 3]);
    expect(order).to.deep.equal(['a outgoing', 'b incoming', 'b done', 'a done']);
  });

  it('can make the call only once', async () => {
    a.use(async (_, next) => {
      await next();
      return next();
    });
    expect(await failure(toB.call('add', [1, 2])))
      .to.have.property('message')
      .that.includes('called twice');
    expect(order).to.deep.equal(['runs']);
  });

  it('can be removed', async () => {
    const off = a.use(noted('a'));
    off();
    off();
    await toB.call('add', [1, 2]);
    expect(order).to.deep.equal(['runs']);
  });

  it('must be a function', () => {
    expect(() => a.use(5 as unknown as Hook)).to.throw(TypeError, 'hook must be a function');
  });
});
