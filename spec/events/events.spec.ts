import { expect } from 'chai';

import type { Gap, Peer, PeerOptions, Received, SubscribeOptions } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { Stage, failure, meet } from '../support/peers.ts';

const missed = (gap: Gap | undefined): string => (gap ? `${gap.why} ${gap.missed}` : '');

describe('an event', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  beforeEach(() => (network = new MemoryNetwork()));
  afterEach(() => stage.clear());

  const start = (name: string, options: PeerOptions = {}): Promise<Peer> =>
    stage.make({ network, name, ...options }).start();

  /** The `tick` events that a peer receives, as `from payload`. */
  function hear(peer: Peer, options?: SubscribeOptions): string[] {
    const heard: string[] = [];
    const listener = (payload: unknown, { peer: from, gap }: Received<unknown>): unknown =>
      heard.push(`${gap ? `(${missed(gap)}) ` : ''}${from.name} ${String(payload)}`);
    peer.event('tick').subscribe(listener, options);
    return heard;
  }

  it('keeps its own sequence when reading its payload emits another event', async () => {
    const [a, b] = await Promise.all(['a', 'b'].map((name) => start(name)));
    await meet(a!, b!.id);
    const heard: string[] = [];
    b!.event('tick').subscribe((payload, { sequence, gap }) => {
      heard.push(`${sequence} ${missed(gap)}${JSON.stringify(payload)}`);
    });
    const tick = a!.event('tick');
    await tick.ready();
    tick.emit({
      get outer() {
        tick.emit('inner');
        return true;
      },
    });
    await eventually(() => heard.length === 2);
    expect(heard).to.deep.equal(['1 "inner"', '2 {"outer":true}']);
  });

  it('reaches each subscribed peer once, in order, and nobody else', async () => {
    const [a, b, c, d] = await Promise.all(['a', 'b', 'c', 'd'].map((name) => start(name)));
    await meet(a!, b!.id, c!.id, d!.id);
    const heard = [hear(b!), hear(c!)];
    const tick = a!.event<number>('tick');
    await tick.ready({ min: 2 });
    for (let n = 1; n <= 1_000; n += 1) expect(tick.emit(n)).to.equal(2);
    const expected = Array.from({ length: 1_000 }, (_, index) => `a ${index + 1}`);
    for (const each of heard) {
      await eventually(() => each.length === 1_000);
      expect(each).to.deep.equal(expected);
    }
    expect(countersOf(a!)).to.include({ emitted: 1_000, sent: 2_000, queued: 0, dropped: 0 });
    expect(countersOf(d!)).to.include({ received: 0, subscriptions: 0 });
  });

  it('arrives with its name, its payload, its peer and its sequence', async () => {
    const { a, b, toA } = await stage.pair({ network });
    const received: Received<{ id: string } | undefined>[] = [];
    const done = b.event<{ id: string } | undefined>('job.done');
    done.subscribe((payload, event) => {
      expect(payload).to.equal(event.payload);
      received.push(event);
    });
    const emitter = a.event<{ id: string } | undefined>('job.done');
    await emitter.ready();
    emitter.emit({ id: '42' });
    emitter.emit(undefined);
    await eventually(() => received.length === 2);
    const usual = { name: 'job.done', peer: toA, gap: undefined, meta: {}, trace: undefined };
    expect(received[0]).to.deep.equal({ ...usual, payload: { id: '42' }, sequence: 1 });
    expect(received[1]).to.deep.equal({ ...usual, payload: undefined, sequence: 2 });
  });

  it('may have no payload', async () => {
    const { a, b } = await stage.pair({ network });
    const payloads: unknown[] = [];
    b.event<void>('ping').subscribe((payload) => payloads.push(payload));
    await a.event<void>('ping').ready();
    a.event<void>('ping').emit();
    await eventually(() => payloads.length === 1);
    expect(payloads).to.deep.equal([undefined]);
  });

  for (const name of [
    '__proto__',
    'constructor',
    'error',
    'newListener',
    'ev"il\n\u0000ü😀',
    'x'.repeat(256),
  ]) {
    it(`can have any name: ${JSON.stringify(name).slice(0, 30)}`, async () => {
      const { a, b } = await stage.pair({ network });
      const names: string[] = [];
      b.event(name).subscribe((_, event) => names.push(event.name));
      await a.event(name).ready();
      a.event(name).emit(1);
      await eventually(() => names.length === 1);
      expect(names).to.deep.equal([name]);
    });
  }

  it('arrives from peers that join later', async () => {
    const b = await start('b');
    const heard = hear(b);
    const a = await start('a');
    const tick = a.event('tick');
    expect((await tick.ready()).map(({ name }) => name)).to.deep.equal(['b']);
    tick.emit(1);
    await eventually(() => heard.length === 1);
    expect(heard).to.deep.equal(['a 1']);
  });

  it('does not arrive from before the subscription, and that is not a gap', async () => {
    const { a, b } = await stage.pair({ network });
    const tick = a.event('tick');
    for (let n = 1; n <= 3; n += 1) expect(tick.emit(n)).to.equal(0);
    const heard = hear(b);
    await tick.ready();
    tick.emit(4);
    await eventually(() => heard.length === 1);
    expect(heard).to.deep.equal(['a 4']);
  });

  it('arrives from the own group, unless the selector says otherwise', async () => {
    const b = await start('b');
    const [own, gpu, all] = [hear(b), hear(b, { from: { group: 'gpu' } }), hear(b, { from: { group: '*' } })];
    const named = hear(b, { from: { group: '*', name: 'g' } });
    const emitters = await Promise.all([
      start('m'),
      start('g', { group: 'gpu' }),
      start('o', { group: 'o' }),
    ]);
    for (const peer of emitters) {
      await peer.event('tick').ready();
      peer.event('tick').emit(1);
    }
    await eventually(() => all.length === 3);
    expect([own, gpu, named]).to.deep.equal([['m 1'], ['g 1'], ['g 1']]);
    expect(all.toSorted()).to.deep.equal(['g 1', 'm 1', 'o 1']);
  });

  it('arrives while the peer matches the selector, and is not sent any more when it does not', async () => {
    const { a, b } = await stage.pair({ network });
    const heard = hear(b, { from: { has: 'work' } });
    const tick = a.event('tick');
    expect(tick.emit(0)).to.equal(0);
    const work = a.connect('work', () => 1);
    await tick.ready();
    tick.emit(1);
    await eventually(() => heard.length === 1);
    a.disconnect(work);
    await eventually(() => tick.subscribers.length === 0);
    expect(tick.emit(2)).to.equal(0);
    expect(heard).to.deep.equal(['a 1']);
  });

  it('does not return to the peer that emits it', async () => {
    const { a, b } = await stage.pair({ network });
    const [own, other] = [hear(a), hear(b)];
    await a.event('tick').ready();
    a.event('tick').emit(1);
    await eventually(() => other.length === 1);
    expect(own).to.deep.equal([]);
  });

  it('arrives before the answer of the call that emitted it', async () => {
    const { a, b, toA } = await stage.pair({ network });
    const heard = hear(b);
    await a.event('tick').ready();
    a.connect('work', () => a.event('tick').emit('working'));
    expect(await toA.call('work')).to.equal(1);
    expect(heard).to.deep.equal(['a working']);
  });

  it('arrives before a later call of its emitter', async () => {
    const { a, b, toB } = await stage.pair({ network });
    const story: string[] = [];
    b.event('tick').subscribe((payload) => story.push(`event ${String(payload)}`));
    b.connect('call', (n: number) => {
      story.push(`call ${n}`);
    });
    await a.event('tick').ready();
    const calls: Promise<unknown>[] = [];
    for (let n = 1; n <= 5; n += 1) {
      a.event('tick').emit(n);
      calls.push(toB.call('call', [n]));
    }
    await Promise.all(calls);
    expect(story.filter((each) => each.startsWith('event'))).to.have.length(5);
    for (let n = 1; n <= 5; n += 1) {
      expect(story.indexOf(`event ${n}`)).to.be.below(story.indexOf(`call ${n}`));
    }
  });

  it('can be emitted by the listener to another event', async () => {
    const { a, b } = await stage.pair({ network });
    b.event('ping').subscribe((payload) => b.event('pong').emit(payload));
    const pongs: unknown[] = [];
    a.event('pong').subscribe((payload) => pongs.push(payload));
    await Promise.all([a.event('ping').ready(), b.event('pong').ready()]);
    a.event('ping').emit(1);
    await eventually(() => pongs.length === 1);
    expect(pongs).to.deep.equal([1]);
  });

  it('arrives under every name in a subscription to *', async () => {
    const { a, b } = await stage.pair({ network });
    const heard: string[] = [];
    b.event('*').subscribe((payload, { name }) => heard.push(`${name} ${String(payload)}`));
    const one = hear(b);
    await a.event('tick').ready();
    await eventually(() => countersOf(b).subscriptions === 2);
    expect(a.event('tock').emit(1)).to.equal(1);
    expect(a.event('tick').emit(2)).to.equal(1);
    await eventually(() => heard.length === 2);
    expect([heard, one]).to.deep.equal([['tock 1', 'tick 2'], ['a 2']]);
    expect(countersOf(a).sent).to.equal(2);
    expect(() => a.event('*').emit(1)).to.throw(TypeError, "'*' stands for every event");
  });

  it('arrives at once where a subscription to everything exists', async () => {
    const { a, b } = await stage.pair({ network });
    b.event('*').subscribe(() => {});
    const tick = a.event<number>('tick');
    await tick.ready();
    const heard = hear(b);
    for (let n = 0; n < 5; n += 1) tick.emit(n);
    await eventually(() => heard.length === 5);
    expect(heard).to.deep.equal(['a 0', 'a 1', 'a 2', 'a 3', 'a 4']);
  });

  it('goes to nobody before the peer has started and after it has stopped', async () => {
    const a = stage.make({ network, name: 'a' });
    const tick = a.event('tick');
    expect(tick.emit(1)).to.equal(0);
    await tick.drained();
    const heard = hear(a);
    await a.start();
    const b = await start('b');
    await b.event('tick').ready();
    b.event('tick').emit(1);
    await eventually(() => heard.length === 1);
    await a.stop();
    expect(tick.emit(2)).to.equal(0);
    await tick.drained();
    expect(tick.subscribers).to.deep.equal([]);
    expect(await failure(tick.ready())).to.include({ code: 'STOPPED' });
  });

  for (const [what, payload] of [
    ['payload.user.save is a function', { user: { save() {} } }],
    ['payload is a symbol', Symbol('x')],
    ['payload[1] is a function', [1, () => {}]],
  ] as const) {
    it(`is refused when it cannot be sent, with and without subscribers: ${what}`, () => {
      const peer = stage.make({ network });
      expect(() => peer.event('tick').emit(payload))
        .to.throw(what)
        .that.includes({ code: 'NOT_SERIALIZABLE' });
    });
  }

  it('is refused when it is larger than a message may be', () => {
    const peer = stage.make({ network, limits: { message: 65_536 } });
    expect(() => peer.event('tick').emit('x'.repeat(65_536)))
      .to.throw('the event "tick" cannot be emitted: it is larger than the 65536 bytes')
      .that.includes({ code: 'TOO_LARGE' });
    expect(peer.event('tick').emit('x'.repeat(65_000))).to.equal(0);
  });

  it('becomes a gap for a subscriber whose messages are too small for it', async () => {
    const { a, b } = await stage.pair({ network }, { network, limits: { message: 65_536 } });
    const heard = hear(b);
    const tick = a.event('tick');
    await tick.ready();
    tick.emit(1);
    tick.emit('x'.repeat(70_000));
    tick.emit(3);
    await eventually(() => heard.length === 2);
    expect(heard).to.deep.equal(['a 1', '(slow 1) a 3']);
    expect(countersOf(a).dropped).to.equal(1);
  });

  for (const name of ['', 'x'.repeat(257), 5, undefined]) {
    it(`cannot be named ${String(name).slice(0, 10) || 'with an empty string'}`, () => {
      expect(() => stage.make({ network }).event(name as never)).to.throw(TypeError, '1 to 256 characters');
    });
  }
});

function countersOf(peer: Peer): Record<string, number> {
  return peer.actor.system.get('events').getSnapshot().context as Record<string, number>;
}
