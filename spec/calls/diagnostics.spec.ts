import { AsyncLocalStorage } from 'node:async_hooks';

import { expect } from 'chai';

import { current } from '../../src/index.ts';
import type {
  AnyMessage,
  CallMessage,
  EmitMessage,
  JoinMessage,
  LeaveMessage,
  LinkMessage,
  Peer,
  ReceiveMessage,
  RefuseMessage,
  RemotePeer,
} from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { Channels } from '../support/channels.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';

const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

describe('diagnostics channels', () => {
  const stage = new Stage();
  const channels = new Channels();
  let a: Peer;
  let b: Peer;
  let toA: RemotePeer;
  let toB: RemotePeer;

  beforeEach(async () => {
    ({ a, b, toA, toB } = await stage.pair({ network: new MemoryNetwork() }));
  });

  afterEach(async () => {
    channels.clear();
    await stage.clear();
  });

  const ofCalls = (): CallMessage[] => {
    const started: CallMessage[] = [];
    channels.on('call:start', (message: CallMessage) => started.push(message));
    return started;
  };

  it('tell of a call on both sides, from its start to its end, with one object', async () => {
    b.connect('add', (x: number, y: number) => x + y);
    for (let round = 0; round < 3; round += 1) {
      const messages = channels.record('call:start', 'call:end', 'call:error');
      expect(await toB.call('add', [1, 2], { meta: { tenant: 'acme' } })).to.equal(3);
      await eventually(() => messages.length === 4);
      const of = (side: string): { channel: string; message: CallMessage }[] =>
        messages.filter(({ message }) => (message as CallMessage).side === side) as never;
      for (const side of ['caller', 'callee']) {
        const [start, end] = of(side);
        expect([start!.channel, end!.channel]).to.deep.equal(['call:start', 'call:end']);
        expect(start!.message).to.equal(end!.message);
        expect(start!.message).to.deep.include({ tag: 'add', meta: { tenant: 'acme' } });
        expect(start!.message.end).to.deep.include({ ok: true, ran: 'yes' });
        expect(start!.message.local).to.equal(side === 'caller' ? a.id : b.id);
        expect(start!.message.peer.id).to.equal(side === 'caller' ? b.id : a.id);
      }
      channels.clear();
    }
  });

  it('tell why a call failed', async () => {
    b.connect('fails', () => {
      throw new RangeError('too large');
    });
    const errors = channels.record('call:error') as { message: CallMessage }[];
    await failure(toB.call('fails'));
    await eventually(() => errors.length === 2);
    for (const { message } of errors) {
      expect(message.end).to.include({ ok: false, ran: 'yes', error: 'RangeError', code: undefined });
    }
    errors.length = 0;
    const refused = channels.record('call:refuse') as { message: RefuseMessage }[];
    await failure(toB.call('missing'));
    await eventually(() => refused.length === 1 && errors.length === 1);
    expect(errors[0]!.message.end).to.include({ code: 'NO_SUCH_TAG', ran: 'no' });
    expect(refused[0]!.message).to.include({ local: b.id, tag: 'missing', code: 'NO_SUCH_TAG' });
  });

  it('tell of a stream when it is over', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    b.connect('count', async function* count(to: number) {
      for (let n = 0; n < to; n += 1) {
        yield n;
        await gate;
      }
    });
    const ends = channels.record('call:end', 'call:error') as { message: CallMessage }[];
    const stream = toB.stream('count', [100]);
    await stream.next();
    expect(ends).to.deep.equal([]);
    release();
    for await (const _ of stream);
    await eventually(() => ends.length === 2);
    expect(ends.map(({ message }) => message.end?.ok)).to.deep.equal([true, true]);
  });

  it('let a subscriber set the trace, which travels to the function and from there on', async () => {
    const started = ofCalls();
    channels.on('call:start', (message: CallMessage) => {
      if (message.side === 'caller' && message.local === a.id) message.trace = TRACE;
    });
    a.connect('inner', () => current().trace);
    b.connect('outer', async () => {
      await Promise.resolve();
      return [current().trace, await toA.call('inner')];
    });
    expect(await toB.call('outer')).to.deep.equal([TRACE, TRACE]);
    expect(started.map(({ trace }) => trace)).to.deep.equal([TRACE, TRACE, TRACE, TRACE]);
    expect(started.map(({ local }) => local)).to.deep.equal([a.id, b.id, b.id, a.id]);
  });

  it('carry the rest of a trace, and leave out what is too long or no trace at all', async () => {
    b.connect('trace', () => current().trace);
    const cases: [Record<string, unknown>, Record<string, string> | undefined][] = [
      [
        { ...TRACE, tracestate: 'a=1', baggage: 'user=ada' },
        { ...TRACE, tracestate: 'a=1', baggage: 'user=ada' },
      ],
      [{ ...TRACE, tracestate: 'x'.repeat(513) }, TRACE],
      [{ ...TRACE, baggage: 'x'.repeat(4_096) }, TRACE],
      [{ traceparent: 'nonsense' }, undefined],
      [{ ...TRACE, baggage: 7 }, TRACE],
      [{}, undefined],
    ];
    for (const [given, there] of cases) {
      channels.on('call:start', (message: CallMessage) => {
        if (message.side === 'caller') message.trace = given as Record<string, string>;
      });
      expect(await toB.call('trace')).to.deep.equal(there);
      channels.clear();
    }
  });

  it('let a subscriber set what the function, and each step of its stream, runs inside', async () => {
    const storage = new AsyncLocalStorage<string>();
    channels.on('call:start', (message: CallMessage) => {
      if (message.side === 'callee') message.enter = (step) => storage.run(message.tag, step);
    });
    b.connect('plain', () => storage.getStore());
    b.connect('waits', async () => {
      await Promise.resolve();
      return storage.getStore();
    });
    b.connect('streams', async function* streams() {
      yield storage.getStore();
      await Promise.resolve();
      yield storage.getStore();
    });
    for (let round = 0; round < 2; round += 1) {
      expect(await toB.call('plain')).to.equal('plain');
      expect(await toB.call('waits')).to.equal('waits');
      const seen: unknown[] = [];
      for await (const each of toB.stream('streams')) seen.push(each);
      expect(seen).to.deep.equal(['streams', 'streams']);
    }
  });

  it('tell of any() once, with its attempts', async () => {
    b.connect('busy', () => 1, { concurrency: 1, queue: 0 });
    const starts = channels.record('any:start') as { message: AnyMessage }[];
    const ends = channels.record('any:end', 'any:error') as { channel: string; message: AnyMessage }[];
    channels.on('any:start', (message: AnyMessage) => (message.trace = TRACE));
    const calls = ofCalls();
    await a.remote<() => number>('busy').any()();
    expect(starts).to.have.length(1);
    await eventually(() => ends.length === 1);
    expect(ends[0]!.message).to.equal(starts[0]!.message);
    expect(ends[0]!.message).to.deep.include({ how: 'any', tag: 'busy', attempts: 1, trace: TRACE });
    expect(ends[0]!.message.peer?.id).to.equal(b.id);
    expect(calls.map(({ attemptOf }) => attemptOf)).to.deep.equal([starts[0]!.message, undefined]);
    expect(calls.map(({ trace }) => trace)).to.deep.equal([TRACE, TRACE]);
    await failure(a.remote<() => number>('missing').any()());
    expect(ends[1]).to.deep.include({ channel: 'any:error' });
    expect(ends[1]!.message.end).to.include({ code: 'NO_SUCH_TAG', ran: 'no' });
  });

  it('tell of any() of a stream when the stream is over', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    b.connect('two', async function* two() {
      yield 1;
      await gate;
      yield 2;
    });
    const ends = channels.record('any:end') as { message: AnyMessage }[];
    const stream = a.remote<() => AsyncGenerator<number>>('two').any()();
    await stream.next();
    expect(ends).to.deep.equal([]);
    release();
    for await (const _ of stream);
    await eventually(() => ends.length === 1);
  });

  it('tell of each input of map(), in the context in which the loop began', async () => {
    b.connect('twice', async (n: number) => n * 2);
    const storage = new AsyncLocalStorage<string>();
    const inside: unknown[] = [];
    channels.on('call:start', ({ side }: CallMessage) => {
      if (side === 'caller') inside.push(storage.getStore());
    });
    const ends = channels.record('any:end') as { message: AnyMessage }[];
    await storage.run('loop', async () => {
      for await (const _ of a
        .remote<(n: number) => Promise<number>>('twice')
        .map([1, 2, 3, 4, 5, 6, 7, 8, 9]));
    });
    expect(ends.map(({ message }) => message.how)).to.deep.equal(Array.from({ length: 9 }, () => 'map'));
    expect(inside).to.deep.equal(Array.from({ length: 9 }, () => 'loop'));
  });

  it('tell of events on both sides, and let their trace travel', async () => {
    const emitted = channels.record('event:emit') as { message: EmitMessage }[];
    channels.on('event:emit', (message: EmitMessage) => (message.trace = TRACE));
    const storage = new AsyncLocalStorage<string>();
    channels.on('event:receive', (message: ReceiveMessage) => {
      message.enter = (step) => storage.run('inside', step);
    });
    const handled = channels.record('event:handled') as { message: ReceiveMessage }[];
    const inside: unknown[] = [];
    const errors: unknown[] = [];
    b.event('done').subscribe(
      async () => {
        await Promise.resolve();
        inside.push(storage.getStore());
        throw new RangeError('no');
      },
      { onError: (error) => errors.push(error) },
    );
    await a.event('done').ready();
    a.event('done').emit(1, { meta: { tenant: 'acme' } });
    await eventually(() => handled.length === 1 && errors.length === 1);
    expect(emitted[0]!.message).to.deep.include({ local: a.id, name: 'done', meta: { tenant: 'acme' } });
    expect(handled[0]!.message).to.deep.include({ local: b.id, name: 'done', sequence: 1, error: 'no' });
    expect(handled[0]!.message.trace).to.deep.equal(TRACE);
    expect(inside).to.deep.equal(['inside']);
  });

  it('tell of peers and of links that come and go', async () => {
    const messages = channels.record('peer:join', 'peer:leave', 'link:open', 'link:close');
    const pair = await stage.pair({ network: new MemoryNetwork() });
    await pair.b.stop();
    const of = <Message>(channel: string): Message[] =>
      messages.flatMap((each) => (each.channel === channel ? [each.message as Message] : []));
    await eventually(() => of<LeaveMessage>('peer:leave').some(({ local }) => local === pair.a.id));
    expect(of<JoinMessage>('peer:join').map(({ local, peer }) => [local, peer.id])).to.have.deep.members([
      [pair.a.id, pair.b.id],
      [pair.b.id, pair.a.id],
    ]);
    const left = of<LeaveMessage>('peer:leave').find(({ local }) => local === pair.a.id)!;
    expect(left.why).to.equal('stopped');
    expect(left.peer.id).to.equal(pair.b.id);
    await eventually(() => of('link:close').length === of('link:open').length);
    expect(of<LinkMessage>('link:open').map(({ dialled }) => dialled)).to.include.members([true, false]);
  });

  it('do no harm whatever a subscriber sets, and when it freezes what it gets', async () => {
    const nothing = (): never => {
      throw new Error('a subscriber');
    };
    const deeds: ((message: CallMessage) => unknown)[] = [
      (message) => (message.enter = 5 as never),
      (message) => (message.enter = nothing),
      (message) => (message.enter = () => undefined as never),
      (message) => (message.enter = (step) => (step(), step())),
      (message) => (message.trace = null as never),
      (message) =>
        (message.trace = Object.defineProperty({}, 'traceparent', { get: nothing, enumerable: true })),
      (message) => Object.freeze(message),
    ];
    const times: string[] = [];
    b.connect('now', (value: number) => times.push('now') && value);
    b.connect('later', async (value: number) => {
      await Promise.resolve();
      times.push('later');
      return value;
    });
    b.connect('values', async function* values() {
      yield 1;
      yield 2;
    });
    b.connect('fail', () => {
      throw new RangeError('of the function');
    });
    await a.peers.ready('fail');
    const heard: unknown[] = [];
    b.event('done').subscribe((value) => heard.push(value));
    await a.event('done').ready();
    for (const [index, deed] of deeds.entries()) {
      const what = String(deed);
      for (const name of ['call:start', 'any:start', 'event:emit', 'event:receive']) {
        channels.on(name, deed);
      }
      for (const call of [(n: number) => toB.call('now', [n]), a.remote<(n: number) => number>('now').any()])
        expect(await call(7), what).to.equal(7);
      expect(await toB.call('later', [8]), what).to.equal(8);
      const seen: unknown[] = [];
      for await (const each of a.remote<() => AsyncGenerator<number>>('values').any()()) seen.push(each);
      expect(seen, what).to.deep.equal([1, 2]);
      expect(await failure(toB.call('fail')), what).to.have.property('message', 'of the function');
      expect(times.splice(0), what).to.deep.equal(['now', 'now', 'later']);
      a.event('done').emit(index);
      await eventually(() => heard.length === index + 1);
      channels.clear();
    }
    expect(heard).to.deep.equal(deeds.map((_, index) => index));
  });

  it('do no harm when a subscriber throws, and make nothing when nobody subscribes', async () => {
    const uncaught: unknown[] = [];
    const listeners = process.rawListeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
    try {
      channels.on('call:start', () => {
        throw new RangeError('subscriber');
      });
      b.connect('one', () => 1);
      expect(await toB.call('one')).to.equal(1);
      await eventually(() => uncaught.length === 2);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const each of listeners) process.on('uncaughtException', each as NodeJS.UncaughtExceptionListener);
    }
  });
});
