import { expect } from 'chai';

import type { NetError, Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { failure, Stage, underWay } from '../support/peers.ts';
import type { Pair } from '../support/peers.ts';

describe('a call with a value that cannot be sent', () => {
  const stage = new Stage();
  let pair: Pair;
  let b: Peer;
  let toB: RemotePeer;

  beforeEach(async () => {
    pair = await stage.pair({ network: new MemoryNetwork() });
    ({ b, toB } = pair);
  });

  afterEach(() => stage.clear());

  const cases: [unknown, string][] = [
    [Symbol('s'), 'args[0] is a symbol'],
    [{ user: { save() {} } }, 'args[0].user.save is a function (save)'],
    [[1, Promise.resolve()], 'args[0][1] is a promise'],
    [{ 'the key': new WeakMap() }, 'args[0]["the key"] is an instance of WeakMap'],
    [Array(2), 'args[0][0] is a hole in an array'],
  ];
  for (const [value, text] of cases) {
    it(`fails before it is sent: ${text}`, async () => {
      b.connect('echo', (x: unknown) => x);
      const error = (await failure(toB.call('echo', [value]))) as NetError;
      expect(error).to.include({ code: 'NOT_SERIALIZABLE', ran: 'no', retriable: false, peer: b.id });
      expect(error.message).to.include(text);
      expect(underWay(pair)).to.deep.equal([0, 0, 0]);
    });
  }

  it('tells that a result cannot be sent, and that the function ran', async () => {
    b.connect('symbol', () => ({ at: Symbol('s') }));
    const error = (await failure(toB.call('symbol'))) as NetError;
    expect(error).to.include({ code: 'NOT_SERIALIZABLE', ran: 'yes' });
    expect(error.message).to.include('result.at is a symbol');
  });

  it('is TOO_LARGE above the limit of the receiver, in either direction', async () => {
    const network = new MemoryNetwork();
    const small = await stage.pair({ network, limits: { message: 65_536 } });
    small.b.connect('length', (text: string) => text.length);
    small.b.connect('make', (length: number) => 'x'.repeat(length));
    expect(await failure(small.toB.call('length', ['x'.repeat(65_536)]))).to.include({
      code: 'TOO_LARGE',
      ran: 'no',
    });
    expect(await failure(small.toB.call('make', [65_536]))).to.include({ code: 'TOO_LARGE', ran: 'yes' });
    expect(await small.toB.call('length', ['x'.repeat(60_000)])).to.equal(60_000);
  });
});
