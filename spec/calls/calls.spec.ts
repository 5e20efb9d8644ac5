import { expect } from 'chai';

import type { NetError, Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage, underWay } from '../support/peers.ts';
import type { Pair } from '../support/peers.ts';

describe('a call to a connected function', () => {
  const stage = new Stage();
  let pair: Pair;
  let a: Peer;
  let b: Peer;
  let toB: RemotePeer;

  beforeEach(async () => {
    pair = await stage.pair({ network: new MemoryNetwork() });
    ({ a, b, toB } = pair);
  });

  afterEach(() => stage.clear());

  it('runs here when it is called plainly, and is the same function', () => {
    const add = function add(this: unknown, x: number, y: number): unknown {
      return this ?? x + y;
    };
    const connected = a.connect(add);
    expect(connected).to.equal(add);
    expect(connected(1, 2)).to.equal(3);
    expect(connected.call('this', 1, 2)).to.equal('this');
    const thrower = a.connect(function thrower() {
      throw new RangeError('here');
    });
    expect(() => thrower()).to.throw(RangeError, 'here');
  });

  it('runs on a peer that is given as an object or by its id', async () => {
    const where = b.connect('where', () => 'at b');
    expect(await where.on(toB)()).to.equal('at b');
    expect(await a.remote<() => string>('where').on(b.id)()).to.equal('at b');
    expect(await toB.call('where')).to.equal('at b');
  });

  it('runs there without `this` and with unchanged arguments', async () => {
    const seen = b.connect('seen', function seen(this: unknown, ...args: unknown[]) {
      return { args, hasThis: this !== undefined };
    });
    const args = ['', 0, false, null, 'ü𝄞\u0000\ud800', [1, [2, []]], { a: { b: [] }, constructor: 1 }];
    expect(await seen.on(toB)(...args)).to.deep.equal({ args, hasThis: false });
    expect(await seen.on(toB)()).to.deep.equal({ args: [], hasThis: false });
  });

  it('keeps an own key __proto__ as data, and touches no prototype', async () => {
    b.connect('echo', (value: unknown) => value);
    const value = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1}}') as object;
    const back = (await toB.call('echo', [value])) as object;
    expect(Object.keys(back)).to.deep.equal(['__proto__', 'constructor']);
    expect(({} as { polluted?: unknown }).polluted).to.equal(undefined);
  });

  it('returns undefined, null and falsy values as they are', async () => {
    const values = [undefined, null, 0, '', false];
    b.connect('nth', (index: number) => values[index]);
    b.connect('nth later', async (index: number) => values[index]);
    for (const [index, value] of values.entries()) {
      expect(await toB.call('nth', [index])).to.equal(value);
      expect(await toB.call('nth later', [index])).to.equal(value);
    }
  });

  it('carries five megabytes there and back', async () => {
    b.connect('echo', (text: string) => text);
    const text = 'ä'.repeat(2_500_000);
    expect(await toB.call('echo', [text])).to.equal(text);
  });

  it('answers a thousand calls at once in both directions', async () => {
    const square = (x: number): number => x * x;
    a.connect('square', square);
    b.connect('square later', async (x: number) => square(x));
    const numbers = Array.from({ length: 1000 }, (_, index) => index);
    const there = Promise.all(numbers.map((x) => toB.call('square later', [x])));
    const back = Promise.all(numbers.map((x) => pair.toA.call('square', [x])));
    expect(await there).to.deep.equal(numbers.map(square));
    expect(await back).to.deep.equal(numbers.map(square));
    expect(underWay(pair)).to.deep.equal([0, 0, 0]);
  });

  it('waits when the peer accepts only a few calls at once', async () => {
    const network = new MemoryNetwork();
    const small = await stage.pair({ network }, { network, limits: { calls: 3 } });
    let running = 0;
    let most = 0;
    small.b.connect('work', async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    });
    await Promise.all(Array.from({ length: 50 }, () => small.toB.call('work')));
    expect(most).to.equal(3);
  });

  it('is OVERLOADED when too many calls already wait', async () => {
    const network = new MemoryNetwork();
    const small = await stage.pair({ network, limits: { queue: 1 } }, { network, limits: { calls: 1 } });
    const releases: (() => void)[] = [];
    small.b.connect('wait', () => new Promise<void>((resolve) => releases.push(resolve)));
    const taken = small.toB.call('wait');
    const waiting = small.toB.call('wait');
    const error = (await failure(small.toB.call('wait'))) as NetError;
    expect(error).to.include({ code: 'OVERLOADED', ran: 'no', retriable: true });
    for (const [index, call] of [taken, waiting].entries()) {
      await eventually(() => releases.length === index + 1);
      releases[index]!();
      expect(await call).to.equal(undefined);
    }
  });
});
