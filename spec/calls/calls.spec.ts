import { expect } from 'chai';

import { NetError, registerError } from '../../src/index.ts';
import type { Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';
import type { Pair } from '../support/peers.ts';

describe('a call', () => {
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

  /** Every number that says something is still under way. */
  function underWay(): number[] {
    const { pending, waiting } = a.actor.system.get('caller').getSnapshot().context;
    return [pending, waiting, b.actor.system.get('dispatcher').getSnapshot().context.running];
  }

  describe('to a connected function', () => {
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
      expect(underWay()).to.deep.equal([0, 0, 0]);
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

  describe('with a value that cannot be sent', () => {
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
        expect(underWay()).to.deep.equal([0, 0, 0]);
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

    it('suggests similar tags when no peer has the tag', async () => {
      b.connect('multiplyValues', () => 1);
      const error = (await failure(toB.call('multiplyValue'))) as NetError;
      expect(error).to.include({ code: 'NO_SUCH_TAG', ran: 'no', peer: b.id, tag: 'multiplyValue' });
      expect(error.message).to.include('did you mean multiplyValues');
      // What a derived tag reads like is not the tag.
      const { tag: derived } = b.connect(function order() {});
      const name = Buffer.from(derived, 'base64url').toString();
      expect(((await failure(toB.call(name))) as NetError).message).to.include(
        `${name}, whose tag is ${derived}`,
      );
      for (const tag of ['__proto__', 'constructor', 'toString']) {
        expect(await failure(toB.call(tag))).to.include({ code: 'NO_SUCH_TAG' });
      }
    });

    it('is NOT_SENT to a peer that is absent or has left', async () => {
      b.connect('echo', (x: unknown) => x);
      const { tag } = b.connect('x', () => 1);
      expect(await failure(a.remote(tag).on('nobody')())).to.include({
        code: 'NOT_SENT',
        ran: 'no',
        peer: 'nobody',
      });
      await b.stop();
      await eventually(() => a.peers.size === 0);
      expect(await failure(toB.call('echo', [1]))).to.include({ code: 'NOT_SENT', ran: 'no', peer: b.id });
    });

    it('is STOPPED when this peer is', async () => {
      await a.stop();
      expect(await failure(toB.call('echo'))).to.include({ code: 'STOPPED', ran: 'no' });
    });

    it('is refused for invalid options', async () => {
      const fn = a.connect('fn', () => 1);
      expect(() => fn.on(undefined as never)).to.throw(TypeError, 'peer must be a peer');
      expect(() => toB.call('fn', [], { deadline: -1 })).to.throw(TypeError, 'deadline');
      expect(() => toB.call('fn', [], { signal: {} as AbortSignal })).to.throw(TypeError, 'AbortSignal');
      const misspelt = { deadlin: 1 } as never;
      for (const call of [
        () => toB.call('fn', [], misspelt),
        () => fn.on(toB, misspelt),
        () => fn.on(b.id, misspelt),
      ]) {
        expect(call).to.throw(TypeError, 'there is no option deadlin; the options are deadline, signal');
      }
      expect(() => fn.on(toB, 5 as never)).to.throw(TypeError, 'options must be an object');
      expect(() => a.remote('fn', { idempotnt: true } as never)).to.throw(
        TypeError,
        'there is no option idempotnt',
      );
    });

    it('is refused here, without a connection, when its tag or arguments are invalid', async () => {
      const never = toB.call('never');
      b.connect('never', () => new Promise(() => {}));
      for (const tag of [5, null, {}, undefined]) {
        expect(() => toB.call(tag as never)).to.throw(TypeError, 'tag must be a string');
      }
      for (const args of [5, 'ab', { length: 1 }, null]) {
        expect(() => toB.call('never', args as never)).to.throw(TypeError, 'args must be an array');
      }
      expect(a.peers.size).to.equal(1);
      await a.stop();
      await failure(never);
    });
  });

  describe('whose function throws', () => {
    class QuotaError extends Error {
      override name = 'QuotaError';
      left: number;
      constructor(left: number, options?: ErrorOptions) {
        super(`only ${left} left`, options);
        this.left = left;
      }
    }
    registerError(QuotaError);

    it('fails with the same class, message, properties and cause', async () => {
      b.connect('fail', () => {
        throw new QuotaError(3, { cause: new RangeError('disk', { cause: 'full' }) });
      });
      const error = (await failure(toB.call('fail'))) as QuotaError & { cause: Error };
      expect(error).to.be.instanceOf(QuotaError);
      expect(error).to.include({ name: 'QuotaError', message: 'only 3 left', left: 3 });
      expect(error.cause).to.be.instanceOf(RangeError);
      expect(error.cause).to.include({ message: 'disk', cause: 'full' });
    });

    it('fails with the thrown value when that is not an error', async () => {
      const values = ['text', 0, null, undefined, { a: 1 }];
      b.connect('fail', (index: number) => {
        throw values[index];
      });
      for (const [index, value] of values.entries()) {
        expect(await failure(toB.call('fail', [index]))).to.deep.equal(value);
      }
    });

    it('shows the remote frames, the peer, and the local line of the call', async () => {
      b.connect('deep', function outer() {
        return (function innermost() {
          throw new TypeError('no');
        })();
      });
      async function theCaller(): Promise<unknown> {
        return await toB.call('deep');
      }
      // One after another: the first call in a while and those right after it find their call site differently.
      for (let count = 0; count < 5; count += 1) {
        const [first, ...frames] = ((await failure(theCaller())) as Error).stack!.split('\n');
        const at = (text: string): number => frames.findIndex((line) => line.includes(text));
        expect(first).to.equal('TypeError: no');
        expect(at('innermost')).to.equal(0);
        expect(at('outer')).to.equal(1);
        expect(at(`peer "b" (${b.id})`)).to.equal(2);
        expect(at('theCaller')).to.be.greaterThan(2);
        expect(frames.filter((line) => /\/src\/(?!index)/.test(line))).to.deep.equal([]);
      }
    });

    it('shows the local line of the call when the call itself fails', async () => {
      async function theCaller(): Promise<unknown> {
        return await toB.call('nothing');
      }
      const error = (await failure(theCaller())) as Error;
      expect(error.stack).to.match(/^NetError: no function is connected as "nothing".*\n(.*\n)*.*theCaller/);
    });

    it('leaves out remote stacks with the option `stacks: false`', async () => {
      const network = new MemoryNetwork();
      const quiet = await stage.pair({ network, stacks: false });
      quiet.b.connect('fail', function secretName() {
        throw new Error('no');
      });
      const error = (await failure(quiet.toB.call('fail'))) as Error;
      expect(error.stack).to.match(/^Error: no\n {4}at peer "b"/);
      expect(error.stack).not.to.include('secretName');
    });

    it('rejects, and does not throw, for an async function', async () => {
      b.connect('later', async () => {
        await Promise.resolve();
        throw new SyntaxError('later');
      });
      expect(await failure(toB.call('later'))).to.be.instanceOf(SyntaxError);
    });

    it('tells for a NetError of the remote function that the function ran', async () => {
      b.connect('gateway', () => {
        throw new NetError('NOT_SENT', 'inner');
      });
      const error = (await failure(toB.call('gateway'))) as NetError;
      expect(error).to.be.instanceOf(NetError);
      expect(error).to.include({ code: 'NOT_SENT', ran: 'yes', retriable: false });
    });
  });

  describe('that takes too long', () => {
    const never = (): Promise<never> => new Promise(() => {});

    it('fails at its deadline, and ignores its late answer', async () => {
      let release: (value: unknown) => void = () => {};
      b.connect('slow', () => new Promise((resolve) => (release = resolve)));
      const started = performance.now();
      const error = (await failure(toB.call('slow', [], { deadline: 30 }))) as NetError;
      expect(error).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'unknown', peer: b.id, tag: 'slow' });
      expect(performance.now() - started).to.be.within(29, 1000);
      release('late');
      await eventually(() => underWay().every((count) => count === 0));
    });

    it('fails at its deadline while it waits in the queue, and never runs', async () => {
      const network = new MemoryNetwork();
      const small = await stage.pair({ network }, { network, limits: { calls: 1 } });
      small.b.connect('never', never);
      const first = failure(small.toB.call('never', [], { deadline: 60 }));
      const second = (await failure(small.toB.call('never', [], { deadline: 20 }))) as NetError;
      expect(second).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'no' });
      expect(await first).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'unknown' });
    });

    it('rejects at once with the reason of its signal', async () => {
      b.connect('never', never);
      const controller = new AbortController();
      const call = failure(toB.call('never', [], { signal: controller.signal }));
      const reason = new Error('changed my mind');
      controller.abort(reason);
      expect(await call).to.equal(reason);
      expect(await failure(toB.call('never', [], { signal: controller.signal }))).to.equal(reason);
      expect(underWay().slice(0, 2)).to.deep.equal([0, 0]);
    });

    it('tells that it may have run when the connection breaks', async () => {
      const network = new MemoryNetwork();
      const other = await stage.pair({ network });
      other.b.connect('never', never);
      const call = failure(other.toB.call('never'));
      await eventually(() => other.b.actor.system.get('dispatcher').getSnapshot().context.running === 1);
      network.cut(other.a, other.b);
      expect(await call).to.include({ code: 'CONNECTION_LOST', ran: 'unknown', retriable: false });
    });
  });
});
