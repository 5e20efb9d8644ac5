import { expect } from 'chai';

import type { Peer, PeerOptions, RemotePeer, SubscribeOptions } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';
import { uncaught } from '../support/uncaught.ts';

const wrong = new Error('thrown by a listener');

describe('a subscription', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  beforeEach(() => (network = new MemoryNetwork()));
  afterEach(() => stage.clear());

  const pair = (options: PeerOptions = {}) => stage.pair({ network, ...options });
  const counters = (peer: Peer): Record<string, number> =>
    peer.actor.system.get('events').getSnapshot().context as Record<string, number>;

  it('ends on request, and then the emitter sends nothing', async () => {
    const { a, b } = await pair();
    const heard: unknown[] = [];
    const tick = a.event('tick');
    const subscription = b.event('tick').subscribe((payload) => heard.push(payload));
    expect(subscription.active).to.equal(true);
    await tick.ready();
    tick.emit(1);
    await eventually(() => heard.length === 1);
    subscription.unsubscribe();
    subscription.unsubscribe();
    expect(subscription.active).to.equal(false);
    await eventually(() => tick.subscribers.length === 0);
    expect(tick.emit(2)).to.equal(0);
    expect(counters(a).sent).to.equal(1);
    expect(counters(b).subscriptions).to.equal(0);
  });

  it('delivers nothing that was still on its way when it ended', async () => {
    const { a, b } = await pair();
    const heard: unknown[] = [];
    const tick = a.event('tick');
    const subscription = b.event('tick').subscribe((payload) => {
      heard.push(payload);
      subscription.unsubscribe();
    });
    await tick.ready();
    for (let n = 1; n <= 5; n += 1) tick.emit(n);
    await eventually(() => tick.subscribers.length === 0);
    expect(heard).to.deep.equal([1]);
  });

  it('ends with its scope and with its signal', async () => {
    const { a, b } = await pair();
    const controller = new AbortController();
    const tick = a.event('tick');
    {
      using scoped = b.event('tick').subscribe(() => {});
      const other = b.event('tock').subscribe(() => {}, { signal: controller.signal });
      await Promise.all([tick.ready(), a.event('tock').ready()]);
      controller.abort();
      expect([scoped.active, other.active]).to.deep.equal([true, false]);
    }
    await eventually(() => counters(b).subscriptions === 0);
    await eventually(() => tick.subscribers.length + a.event('tock').subscribers.length === 0);
    const never = b.event('tick').subscribe(() => {}, { signal: AbortSignal.abort() });
    expect(never.active).to.equal(false);
  });

  it('ends with its peer', async () => {
    const { b } = await pair();
    const subscription = b.event('tick').subscribe(() => {});
    await b.stop();
    expect(subscription.active).to.equal(false);
    subscription.unsubscribe();
  });

  it('costs one frame for all listeners to the same events of a peer, and lasts until the last of them ends', async () => {
    const { a, b } = await pair();
    const heard: string[] = [];
    const tick = a.event('tick');
    const one = b.event('tick').subscribe(() => heard.push('one'));
    const two = b.event('tick').subscribe(() => heard.push('two'), { from: { name: 'a' } });
    b.event('tick').subscribe(() => heard.push('never'), { from: { name: 'x' } });
    await tick.ready();
    tick.emit(1);
    await eventually(() => heard.length === 2);
    expect(counters(a).sent).to.equal(1);
    one.unsubscribe();
    tick.emit(2);
    await eventually(() => heard.length === 3);
    two.unsubscribe();
    await eventually(() => tick.subscribers.length === 0);
    expect(heard).to.deep.equal(['one', 'two', 'two']);
  });

  it('gets later events and no gap when it ends and begins again at once', async () => {
    const { a, b } = await pair();
    const tick = a.event('tick');
    const first = b.event('tick').subscribe(() => {});
    await tick.ready();
    const heard: string[] = [];
    tick.emit(1);
    first.unsubscribe();
    b.event('tick').subscribe((payload, { gap }) => heard.push(`${String(payload)} ${gap ? 'gap' : ''}`));
    tick.emit(2);
    // The requests of b reach a in order.
    await b.peers.get(a.id)!.ping();
    tick.emit(3);
    await eventually(() => heard.length === 1);
    expect(heard).to.deep.equal(['3 ']);
  });

  it('may be made and ended by a listener to the same event', async () => {
    const { a, b } = await pair();
    const heard: string[] = [];
    const tick = a.event('tick');
    const first = b.event('tick').subscribe((payload) => {
      heard.push(`first ${String(payload)}`);
      second.unsubscribe();
      first.unsubscribe();
      b.event('tick').subscribe((later) => heard.push(`third ${String(later)}`));
    });
    const second = b.event('tick').subscribe((payload) => heard.push(`second ${String(payload)}`));
    await tick.ready();
    tick.emit(1);
    await eventually(() => heard.length === 1);
    await b.peers.get(a.id)!.ping();
    tick.emit(2);
    await eventually(() => heard.length === 2);
    expect(heard).to.deep.equal(['first 1', 'third 2']);
  });

  it('passes errors and rejections of the listener to onError, and goes on', async () => {
    const { a, b } = await pair();
    const errors: unknown[] = [];
    const heard: unknown[] = [];
    const onError = (error: unknown): unknown => errors.push(error);
    const bad = (payload: unknown): unknown => {
      if (payload === 'throw') throw wrong;
      return Promise.reject(wrong);
    };
    b.event('tick').subscribe(bad, { onError });
    b.event('tick').subscribe((payload) => heard.push(payload));
    await a.event('tick').ready();
    a.event('tick').emit('throw');
    a.event('tick').emit('reject');
    await eventually(() => errors.length === 2);
    expect(errors).to.deep.equal([wrong, wrong]);
    expect(heard).to.deep.equal(['throw', 'reject']);
    expect(a.actor.getSnapshot().value).to.equal('online');
  });

  it('turns errors of the listener into uncaught exceptions without onError, and goes on', async () => {
    const { a, b } = await pair();
    const heard: unknown[] = [];
    b.event('tick').subscribe(() => {
      throw wrong;
    });
    b.event('tick').subscribe((payload) => heard.push(payload));
    await a.event('tick').ready();
    const { errors, stop } = uncaught();
    try {
      a.event('tick').emit(1);
      a.event('tick').emit(2);
      await eventually(() => heard.length === 2 && errors.length === 2);
    } finally {
      stop();
    }
    expect(errors).to.deep.equal([wrong, wrong]);
    expect(b.actor.system.get('events').getSnapshot().status).to.equal('active');
  });

  it('follows its own `where`, and passes the errors of that to onError', async () => {
    const { a, b } = await pair();
    const errors: unknown[] = [];
    const heard: unknown[] = [];
    const where = ({ name, functions }: RemotePeer): boolean => {
      if (name === 'c') throw wrong;
      return functions.length > 0;
    };
    const options: SubscribeOptions = { from: { where }, onError: (error) => errors.push(error) };
    b.event('tick').subscribe((payload) => heard.push(payload), options);
    await stage.make({ network, name: 'c' }).start();
    await eventually(() => errors.length === 1);
    a.connect('work', () => 1);
    await a.event('tick').ready();
    a.event('tick').emit(1);
    await eventually(() => heard.length === 1);
    expect(errors).to.deep.equal([wrong]);
    expect(() => b.event('tick').subscribe(() => {}, options)).to.throw(wrong);
  });

  for (const [options, message] of [
    [{ from: { gruop: 'x' } }, 'did you mean group?'],
    [{ from: 5 }, 'give a selector'],
    [{ signal: {} }, 'signal: give an AbortSignal'],
    [{ onGap: 5 }, 'onGap: give a function'],
    [{ onError: 'x' }, 'onError: give a function'],
    [{ form: { group: 'x' } }, 'there is no option "form"; did you mean from?'],
  ] as const) {
    it(`is refused for invalid options: ${JSON.stringify(options)}`, () => {
      const tick = stage.make({ network }).event('tick');
      expect(() => tick.subscribe(() => {}, options as never)).to.throw(TypeError, message);
      if (!('onError' in options)) expect(() => tick.stream(options as never)).to.throw(TypeError, message);
    });
  }

  it('is refused without a listener', () => {
    expect(() =>
      stage
        .make({ network })
        .event('tick')
        .subscribe({} as never),
    ).to.throw(TypeError, 'function');
  });

  it('waits for room at a peer that allows only some, and warns once', async () => {
    const { a, b } = await pair();
    const c = await stage.make({ network, name: 'c', limits: { subscriptions: 2 } }).start();
    const warnings: Error[] = [];
    const note = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', note);
    const heard: string[] = [];
    const names = ['one', 'two', 'three', 'four'];
    const subscriptions = names.map((name) =>
      b.event(name).subscribe((_, event) => heard.push(`${event.peer.name} ${name}`)),
    );
    await Promise.all([c.event('one').ready(), c.event('two').ready(), a.event('four').ready()]);
    for (const name of names) for (const peer of [a, c]) peer.event(name).emit(1);
    await eventually(() => heard.length === 6);
    expect(heard).to.include.members(['c one', 'c two', 'a one', 'a two', 'a three', 'a four']);
    subscriptions[0]!.unsubscribe();
    await c.event('three').ready();
    c.event('three').emit(1);
    c.event('four').emit(1);
    await eventually(() => heard.length === 7);
    process.off('warning', note);
    expect(heard.at(-1)).to.equal('c three');
    const told = warnings.filter(({ name }) => name === 'AppNetWarning').map(({ message }) => message);
    expect(told).to.have.length(1);
    expect(told[0]).to.match(
      /^the subscription to "three" at peer "c" \(.*\) waits: that peer allows 2 subscriptions at a time/,
    );
  });

  it('is not sent to a peer that allows none', async () => {
    const { a, b } = await stage.pair({ network, limits: { subscriptions: 0 } }, { network });
    b.event('tick').subscribe(() => {});
    await b.peers.get(a.id)!.ping();
    expect(a.event('tick').subscribers).to.deep.equal([]);
    expect(a.event('tick').emit(1)).to.equal(0);
  });
});
