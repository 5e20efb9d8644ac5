import { expect } from 'chai';

import { current } from '../../src/index.ts';
import type { CallEnd, CallMeta, Hook, Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';

describe('the meta of a call', () => {
  const stage = new Stage();
  let a: Peer;
  let b: Peer;
  let toA: RemotePeer;
  let toB: RemotePeer;

  beforeEach(async () => {
    ({ a, b, toA, toB } = await stage.pair({ network: new MemoryNetwork() }));
  });

  afterEach(() => stage.clear());

  const look = (): CallMeta => ({ ...current().meta });
  const kinds: [string, () => unknown][] = [
    ['a plain function', () => look()],
    ['an async function', async () => look()],
    [
      'a function that waits',
      async () => {
        await Promise.resolve();
        return look();
      },
    ],
  ];
  for (const [name, fn] of kinds) {
    it(`is read in current().meta: ${name}`, async () => {
      b.connect('look', fn);
      // The first call of a function is not like the others.
      for (let round = 0; round < 3; round += 1) {
        expect(await toB.call('look', [], { meta: { token: `t${round}`, deep: [{ n: 1 }] } })).to.deep.equal({
          token: `t${round}`,
          deep: [{ n: 1 }],
        });
        expect(await toB.call('look')).to.deep.equal({});
      }
    });
  }

  it('is {} in a plain call', () => {
    expect(look()).to.deep.equal({});
  });

  it('travels with on, any, all, map and streams', async () => {
    b.connect('look', look);
    b.connect('stream', async function* stream() {
      yield look();
      await Promise.resolve();
      yield look();
    });
    const options = { meta: { tenant: 'acme' } };
    const remote = a.remote<(n?: number) => CallMeta>('look');
    expect(await remote.on(toB, options)()).to.deep.equal(options.meta);
    expect(await remote.on(b.id, options)()).to.deep.equal(options.meta);
    expect(await remote.any({}, options)()).to.deep.equal(options.meta);
    for await (const result of remote.all({}, options)()) {
      expect(result).to.deep.include({ status: 'fulfilled', value: options.meta });
    }
    for await (const result of remote.map([1, 2], options)) {
      expect(result).to.deep.include({ status: 'fulfilled', value: options.meta });
    }
    const seen: unknown[] = [];
    for await (const each of toB.stream('stream', [], options)) seen.push(each);
    expect(seen).to.deep.equal([options.meta, options.meta]);
  });

  it('travels beside values that JSON cannot represent, and beside streams', async () => {
    b.connect('date', (date: Date) => [date, look()]);
    b.connect('read', async (stream: AsyncIterable<number>) => {
      for await (const _ of stream);
      return look();
    });
    const meta = { args: [7], trace: 'x' };
    expect(await toB.call('date', [new Date(0)], { meta })).to.deep.equal([new Date(0), meta]);
    const one = async function* one() {
      yield 1;
    };
    expect(await toB.call('read', [one()], { meta })).to.deep.equal(meta);
  });

  it('is not inherited by the calls that the function makes', async () => {
    a.connect('look', look);
    b.connect('passes', () => toA.call('look'));
    expect(await toB.call('passes', [], { meta: { token: 'x' } })).to.deep.equal({});
  });

  it('is inherited if a hook says so', async () => {
    a.connect('look', look);
    b.connect('passes', async () => toA.call('look'));
    b.use((call, next) => {
      if (call.direction === 'outgoing') call.meta = { ...current().meta, ...call.meta };
      return next();
    });
    expect(await toB.call('passes', [], { meta: { token: 'x' } })).to.deep.equal({ token: 'x' });
  });

  it('is set by a hook of the caller, without a change to the object that was given', async () => {
    b.connect('look', look);
    a.use((call, next) => {
      call.meta['token'] = 'abc';
      return next();
    });
    const meta = { tenant: 'acme' };
    expect(await toB.call('look', [], { meta })).to.deep.equal({ tenant: 'acme', token: 'abc' });
    expect(meta).to.deep.equal({ tenant: 'acme' });
  });

  it('is checked and replaced by a hook of the other side, before the function runs', async () => {
    let ran = 0;
    b.connect('who', () => {
      ran += 1;
      return look();
    });
    b.use((call, next) => {
      if (call.meta['token'] !== 'right') throw new RangeError('not allowed');
      call.meta = { user: 'ada' };
      return next();
    });
    expect(await toB.call('who', [], { meta: { token: 'right' } })).to.deep.equal({ user: 'ada' });
    expect(ran).to.equal(1);
    expect(await failure(toB.call('who', [], { meta: { token: 'wrong' } }))).to.be.instanceOf(RangeError);
    expect(await failure(toB.call('who'))).to.be.instanceOf(RangeError);
    expect(ran).to.equal(1);
  });

  const wrong: [string, unknown][] = [
    ['a string', 'x'],
    ['an array', [1]],
    ['null', null],
    ['a date in it', { at: new Date() }],
    ['undefined in it', { token: undefined }],
    ['an instance', new (class Token {})()],
    ['too much text', { token: 'x'.repeat(4_096) }],
    [
      'a getter that throws',
      {
        get token() {
          throw new Error('no');
        },
      },
    ],
  ];
  for (const [name, meta] of wrong) {
    it(`is refused with a TypeError if it is ${name}`, async () => {
      const options = { meta } as { meta: CallMeta };
      expect(() => toB.call('net.ping', [], options)).to.throw(TypeError, 'meta:');
      expect(() => a.remote('net.ping').any({}, options)).to.throw(TypeError, 'meta:');
      expect(() => a.event('tick').emit(1, options)).to.throw(TypeError, 'meta:');
      const off = a.use((call, next) => {
        call.meta = meta as Record<string, unknown>;
        return next();
      });
      expect(await failure(toB.call('net.ping'))).to.be.instanceOf(TypeError);
      off();
      // The peers are as well as before.
      expect(await toB.call('net.ping')).to.equal(null);
    });
  }

  it('travels with an event', async () => {
    const received: unknown[] = [];
    b.event('done').subscribe((payload, { meta }) => received.push([payload, meta]));
    const done = a.event('done');
    await done.ready();
    done.emit(1, { meta: { tenant: 'acme' } });
    done.emit(undefined, { meta: { value: 2 } });
    done.emit(new Date(0), { meta: { tenant: 'b' } });
    done.emit(4);
    await eventually(() => received.length === 4);
    expect(received).to.deep.equal([
      [1, { tenant: 'acme' }],
      [undefined, { value: 2 }],
      [new Date(0), { tenant: 'b' }],
      [4, {}],
    ]);
    expect(() => done.emit(1, { mata: {} } as object)).to.throw(TypeError, 'there is no option mata');
  });

  describe('and its end, in a hook', () => {
    let ends: [string, CallEnd][];
    const note: Hook = (call, next) => {
      if (call.tag === 'net.ping') return next();
      call.finished.then(
        (end) => ends.push([call.direction, end]),
        () => {},
      );
      return next();
    };

    beforeEach(() => {
      ends = [];
      a.use(note);
      b.use(note);
    });

    const both = async (): Promise<CallEnd[]> => {
      await eventually(() => ends.length === 2);
      const of = (direction: string): CallEnd => ends.find(([each]) => each === direction)![1];
      return [of('outgoing'), of('incoming')];
    };

    it('is told for a result', async () => {
      b.connect('one', () => 1);
      await toB.call('one');
      for (const end of await both()) expect(end).to.include({ ok: true, ran: 'yes', code: undefined });
    });

    it('is told for an error of the function', async () => {
      b.connect('fails', async () => {
        throw new RangeError('too large');
      });
      await failure(toB.call('fails'));
      for (const end of await both()) {
        const error = { error: 'RangeError', message: 'too large' };
        expect(end).to.deep.equal({ ok: false, ran: 'yes', code: undefined, ...error });
      }
    });

    it('names the class of the error, with or without a name of its own', async () => {
      class Forbidden extends Error {}
      class Late extends Forbidden {
        override readonly name = 'TooLate';
      }
      const thrown = [new Forbidden('x'), new Late('x'), Object.assign(new Error('x'), { name: 'Own' }), 5];
      for (const [at, error] of thrown.entries()) b.connect(`${at}`, () => Promise.reject(error));
      const names: unknown[][] = [];
      for (const at of thrown.keys()) {
        await failure(toB.call(`${at}`));
        names.push((await both()).map(({ error }) => error));
        ends.length = 0;
      }
      const expected = ['Forbidden', 'TooLate', 'Own', 'number'];
      expect(names).to.deep.equal(expected.map((name) => [name, name]));
    });

    it('is told for a result that cannot be sent', async () => {
      b.connect('symbol', () => Symbol('x'));
      await failure(toB.call('symbol'));
      for (const end of await both()) expect(end).to.include({ code: 'NOT_SERIALIZABLE', ran: 'yes' });
    });

    it('is that of the stream, not of its opening', async () => {
      let release = (): void => {};
      const gate = new Promise<void>((resolve) => (release = resolve));
      b.connect('stream', async function* stream() {
        yield 1;
        await gate;
        yield 2;
      });
      const stream = toB.stream('stream');
      await stream.next();
      await toB.call('net.ping');
      expect(ends).to.deep.equal([]);
      release();
      expect(await stream.next()).to.include({ value: 2 });
      await stream.next();
      for (const end of await both()) expect(end.ok).to.equal(true);
    });

    it('is told for a stream that is left', async () => {
      b.connect('stream', async function* stream() {
        for (;;) yield 1;
      });
      for await (const _ of toB.stream('stream')) break;
      const [outgoing, incoming] = await both();
      expect(outgoing).to.include({ code: 'CANCELLED', ran: 'yes' });
      expect(incoming).to.include({ code: 'CANCELLED' });
    });

    it('is told for a cancel, a deadline and a peer that is lost', async () => {
      b.connect('hangs', () => new Promise(() => {}));
      const only = async (): Promise<CallEnd> => {
        await eventually(() => ends.some(([direction]) => direction === 'outgoing'));
        return ends.splice(0).find(([direction]) => direction === 'outgoing')![1];
      };
      await failure(toB.call('hangs', [], { deadline: 20 }));
      expect(await only()).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'unknown' });
      const leave = new AbortController();
      const call = failure(toB.call('hangs', [], { signal: leave.signal }));
      leave.abort();
      await call;
      expect(await only()).to.include({ code: 'CANCELLED' });
      await b.stop({ drainTime: 0 });
      await failure(toB.call('hangs'));
      expect(await only()).to.include({ code: 'NOT_SENT', ran: 'no' });
    });

    it('is told for a hook that answers itself, or throws', async () => {
      const only = async (): Promise<CallEnd> => {
        await eventually(() => ends.length === 1);
        return ends.splice(0)[0]![1];
      };
      const off = a.use(() => 'cached');
      await toB.call('one');
      expect(await only()).to.include({ ok: true });
      off();
      a.use(() => {
        throw new RangeError('no');
      });
      await failure(toB.call('one'));
      expect(await only()).to.include({ ok: false, error: 'RangeError' });
    });
  });
});
