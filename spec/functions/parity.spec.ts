import { expect } from 'chai';

import { NetError, connected, registerError } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { Stage, failure } from '../support/peers.ts';

class Overspent extends Error {
  override name = 'Overspent';
  balance = 0n;
}
registerError(Overspent);

describe('parity', () => {
  const stage = new Stage();
  const network = new MemoryNetwork();
  let peer: Peer;

  beforeEach(() => {
    peer = stage.make({ name: 'tested', parity: true, network, limits: { message: 65_536 } });
  });
  afterEach(() => stage.clear());

  it('is off by default, and then connect returns the same function', () => {
    const add = (a: number, b: number): number => a + b;
    expect(stage.make({ network }).connect('add', add)).to.equal(add);
  });

  it('can be switched on with APP_NET_PARITY', () => {
    process.env['APP_NET_PARITY'] = '1';
    try {
      const add = (a: number, b: number): number => a + b;
      expect(stage.make({ network }).connect('add', add)).not.to.equal(add);
    } finally {
      delete process.env['APP_NET_PARITY'];
    }
  });

  it('leaves a synchronous function synchronous, with its name and properties', () => {
    const add = Object.assign(
      function add(a: number, b = 1): number {
        return a + b;
      },
      { version: 3 },
    );
    const tested = peer.connect('add', add);
    expect(tested(1, 2)).to.equal(3);
    expect([tested.name, tested.length, tested.tag, tested.version]).to.deep.equal(['add', 1, 'add', 3]);
    expect(peer.connect('add', add)).to.equal(tested);
    expect(peer.connect('add', tested)).to.equal(tested);
  });

  it('gives the function copies of its arguments, and the caller a copy of the result', () => {
    const kept: { list: number[]; when: Date }[] = [];
    const keep = peer.connect('keep', (value: { list: number[]; when: Date }, bytes: Uint8Array) => {
      kept.push(value);
      bytes.fill(9);
      return kept;
    });
    const bytes = Uint8Array.of(1);
    const value = { list: [1], when: new Date(0) };
    const result = keep(value, bytes);
    expect(result).to.deep.equal([value]);
    expect(result).not.to.equal(kept);
    expect(kept[0]).not.to.equal(value);
    expect([...bytes]).to.deep.equal([1]);
  });

  it('refuses arguments and results that could not be sent, and names the place in them', () => {
    let ran = 0;
    const run = peer.connect('run', (x: unknown) => ((ran += 1), x === 1 ? Symbol('s') : x));
    expect(() => run({ save() {} }))
      .to.throw(NetError, 'args[0].save is a function (save), which cannot be sent to another process (run)')
      .that.includes({ code: 'NOT_SERIALIZABLE', ran: 'no', tag: 'run' });
    expect(ran).to.equal(0);
    expect(() => run(1))
      .to.throw(NetError, 'the function ran, but its result cannot be sent: result is a symbol')
      .that.includes({ code: 'NOT_SERIALIZABLE', ran: 'yes' });
    expect(() => run('x'.repeat(65_536)))
      .to.throw(NetError)
      .that.includes({ code: 'TOO_LARGE', ran: 'no' });
  });

  it('shows the line of the call in its errors', () => {
    const run = peer.connect('run', (x: unknown) => x);
    expect(() => run(Symbol('s')))
      .to.throw(NetError)
      .with.property('stack')
      .that.includes('parity.spec');
  });

  it('carries thrown errors: registered classes and properties survive, others do not', () => {
    class Unregistered extends Error {}
    const fail = peer.connect('fail', (error: boolean) => {
      throw error
        ? Object.assign(new Overspent('no'), { balance: -5n, retry() {} })
        : new Unregistered('odd');
    });
    const caught = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return error;
      }
    };
    const known = caught(() => fail(true)) as Overspent;
    expect(known).to.be.instanceOf(Overspent).and.include({ message: 'no', balance: -5n });
    expect(known).not.to.have.property('retry');
    expect(known.stack).to.match(/parity\.spec[^]*at peer "tested" [^]*parity\.spec/);
    expect(caught(() => fail(false)))
      .to.be.instanceOf(Error)
      .and.not.instanceOf(Unregistered);
  });

  it('rejects, and does not throw, for an async function', async () => {
    const twice = peer.connect('twice', async (x: unknown) => (await Promise.resolve(), [x, x]));
    const [a, b] = await twice({ n: 1 });
    expect(a).to.deep.equal({ n: 1 });
    expect(a).not.to.equal(b);
    expect(await failure(twice(() => {}))).to.include({ code: 'NOT_SERIALIZABLE', ran: 'no' });
    const fail = peer.connect('fail', async () => Promise.reject(new Overspent('async')));
    expect(await failure(fail())).to.be.instanceOf(Overspent);
  });

  it('carries each value of a stream, in both directions, and ends its source when it is left', async () => {
    let ended = false;
    const items = [{ a: 1 }, { a: 2 }];
    const relay = peer.connect('relay', async function* relay(from: AsyncIterable<unknown>) {
      try {
        for await (const item of from) yield item;
        yield () => {};
      } finally {
        ended = true;
      }
    });
    async function* source(): AsyncGenerator {
      yield* items;
    }
    const got: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const item of relay(source())) got.push(item);
    };
    expect(await failure(read())).to.include({ code: 'NOT_SERIALIZABLE', ran: 'yes' });
    expect(got).to.deep.equal(items);
    expect(got[0]).not.to.equal(items[0]);
    expect(ended).to.equal(true);
  });

  it('holds for the functions of an object and for decorated methods, which keep their `this`', () => {
    const math = peer.connect({ one: () => ({ n: 1 }), two: () => () => {} }, { prefix: 'math' });
    expect(math.one()).to.deep.equal({ n: 1 });
    expect(math.one.tag).to.equal('math.one');
    expect(() => math.two()).to.throw(NetError, 'result is a function');
    class Counter {
      static count = 1;
      @peer.connect('count') static next(by: number): number {
        return (this.count += by);
      }
    }
    expect(Counter.next(1)).to.equal(2);
    expect(connected(Counter.next).tag).to.equal('count');
    expect(() => Counter.next(Symbol('s') as never)).to.throw(NetError, 'args[0] is a symbol');
  });

  it('gives `thread` also to a function that is connected again, with threads', () => {
    const add = (a: number, b: number): number => a + b;
    const tested = peer.connect('add', add);
    expect(peer.connect('add', add, { threads: 1 })).to.equal(tested);
    expect(tested).to.have.property('thread');
    expect(tested(1, 2)).to.equal(3);
  });

  it('changes nothing for other peers, which call the function itself, and allows disconnect', async () => {
    await peer.start();
    const other = stage.make({ network });
    await other.start();
    let seen: unknown;
    const see = peer.connect('see', (x: unknown) => void (seen = x));
    const remote = other.remote<(x: unknown) => void>('see');
    await other.peers.ready(remote);
    await remote.on(peer.id)({ when: new Date(3) });
    expect(seen).to.deep.equal({ when: new Date(3) });
    expect(peer.disconnect(see)).to.equal(true);
    expect(peer.functions).to.deep.equal([]);
  });
});
