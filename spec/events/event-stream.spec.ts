import { expect } from 'chai';

import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { Stage, failure } from '../support/peers.ts';
import { uncaught } from '../support/uncaught.ts';

const wrong = new Error('thrown by a listener');

describe('a stream of events', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  beforeEach(() => (network = new MemoryNetwork()));
  afterEach(() => stage.clear());

  const pair = () => stage.pair({ network });

  it('is subscribed from its creation, and yields events until the loop is left', async () => {
    const { a, b } = await pair();
    const tick = a.event<number>('tick');
    const stream = b.event<number>('tick').stream({ from: { group: '*' } });
    await tick.ready();
    for (let n = 1; n <= 5; n += 1) tick.emit(n);
    const seen: number[] = [];
    for await (const { payload, peer, gap } of stream) {
      expect(peer.name).to.equal('a');
      expect(gap).to.equal(undefined);
      seen.push(payload);
      if (payload === 3) break;
    }
    expect(seen).to.deep.equal([1, 2, 3]);
    await eventually(() => tick.subscribers.length === 0);
    expect(await stream.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('ends without an error when its signal aborts, and when the peer stops', async () => {
    const { a, b } = await pair();
    const controller = new AbortController();
    const ends = [b.event('tick').stream({ signal: controller.signal }), b.event('tick').stream()].map(
      async (stream) => {
        let count = 0;
        for await (const _ of stream) count += 1;
        return count;
      },
    );
    await a.event('tick').ready();
    a.event('tick').emit(1);
    // It has arrived when a call that was made after it has been answered.
    b.connect('arrived', () => {});
    await a.peers.get(b.id)!.call('arrived');
    controller.abort();
    expect(await ends[0]).to.equal(1);
    await b.stop();
    expect(await ends[1]).to.equal(1);
    for await (const _ of a.event('tick').stream({ signal: AbortSignal.abort() })) expect.fail();
  });

  it('can be ended before anybody has read it', async () => {
    const { a, b } = await pair();
    {
      await using stream = b.event('tick').stream();
      expect(stream).to.be.an('object');
      await a.event('tick').ready();
    }
    await eventually(() => a.event('tick').subscribers.length === 0);
  });

  it('serves several waiting reads in the order in which they were made', async () => {
    const { a, b } = await pair();
    const stream = b.event<number>('tick').stream();
    const asked = [stream.next(), stream.next(), stream.next()];
    await a.event('tick').ready();
    a.event('tick').emit(1);
    a.event('tick').emit(2);
    expect((await asked[0])?.value?.payload).to.equal(1);
    expect((await asked[1])?.value?.payload).to.equal(2);
    await stream.return();
    expect((await asked[2])?.done).to.equal(true);
  });

  it('drops the oldest events for a slow loop, and reports that with the next event of that peer', async () => {
    const { a, b } = await pair();
    const c = await stage.make({ network, name: 'c' }).start();
    const gaps: string[] = [];
    const stream = b.event<number>('tick').stream({
      buffer: 3,
      onGap: ({ missed, why }, { name }) => gaps.push(`${name} ${why} ${missed}`),
    });
    await Promise.all([a.event('tick').ready(), c.event('tick').ready()]);
    c.event('tick').emit(0);
    await b.peers.get(c.id)!.ping();
    for (let n = 1; n <= 5; n += 1) a.event('tick').emit(n);
    await b.peers.get(a.id)!.ping();
    const take = async (): Promise<string> => {
      const { value } = await stream.next();
      return `${value!.payload}${value!.gap ? ` after ${value!.gap.missed}` : ''}`;
    };
    expect([await take(), await take(), await take()]).to.deep.equal(['3 after 2', '4', '5']);
    // No event of c is left that could have carried its gap.
    const next = take();
    await eventually(() => gaps.length === 1);
    expect(gaps).to.deep.equal(['c slow 1']);
    c.event('tick').emit(6);
    expect(await next).to.equal('6 after 1');
    await stream.return();
  });

  it('can throw instead, once the loop has read the waiting events', async () => {
    const { a, b } = await pair();
    const stream = b.event<number>('tick').stream({ buffer: 2, overflow: 'throw' });
    await a.event('tick').ready();
    for (let n = 1; n <= 3; n += 1) a.event('tick').emit(n);
    await b.peers.get(a.id)!.ping();
    const seen: number[] = [];
    const error = await failure(
      (async () => {
        for await (const { payload } of stream) seen.push(payload);
      })(),
    );
    expect(error).to.include({ code: 'OVERLOADED' });
    expect(seen).to.deep.equal([1, 2]);
    await eventually(() => a.event('tick').subscribers.length === 0);
  });

  it('throws the error of its `where`', async () => {
    const b = await stage.make({ network, name: 'b' }).start();
    const where = (): boolean => {
      throw wrong;
    };
    const next = failure(b.event('tick').stream({ from: { where } }).next());
    await stage.make({ network, name: 'a' }).start();
    expect(await next).to.equal(wrong);
  });

  it('goes on when its onGap throws, which becomes an uncaught exception', async () => {
    const { a, b } = await pair();
    const onGap = (): void => {
      throw wrong;
    };
    const stream = b.event<number>('tick').stream({ onGap });
    await a.event('tick').ready();
    a.event('tick').emit(1);
    await stream.next();
    const { errors, stop } = uncaught();
    try {
      network.cut(a, b);
      await eventually(() => a.peers.size + b.peers.size === 0);
      a.event('tick').emit(2);
      network.heal(a, b);
      await eventually(() => errors.length === 1);
    } finally {
      stop();
    }
    expect(errors).to.deep.equal([wrong]);
    await a.event('tick').ready();
    a.event('tick').emit(3);
    expect((await stream.next()).value).to.deep.include({
      payload: 3,
      gap: { missed: 1, why: 'disconnected' },
    });
    await stream.return();
  });

  for (const [options, message] of [
    [{ buffer: 0 }, 'buffer: give a whole number'],
    [{ buffer: 1.5 }, 'buffer: give a whole number'],
    [{ overflow: 'wait' }, "overflow: give 'drop' or 'throw'"],
    [{ onError: () => {} }, 'there is no option "onError"'],
  ] as const) {
    it(`is refused for invalid options: ${JSON.stringify(options)}`, () => {
      const tick = stage.make({ network }).event('tick');
      expect(() => tick.stream(options as never)).to.throw(TypeError, message);
    });
  }
});
