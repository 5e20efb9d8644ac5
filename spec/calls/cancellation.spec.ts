import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'chai';

import { NetError, createPeer, current } from '../../src/index.ts';
import type { CallContext, Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, meet, Stage } from '../support/peers.ts';

/** A function that runs until it is let go, and tells how many do. */
function gate() {
  const state = { running: 0, most: 0, begun: 0, release: (): void => {} };
  const waiting: (() => void)[] = [];
  state.release = () => waiting.splice(0).forEach((each) => each());
  const run = async (): Promise<string> => {
    state.begun += 1;
    state.running += 1;
    state.most = Math.max(state.most, state.running);
    await new Promise<void>((resolve) => waiting.push(resolve));
    state.running -= 1;
    return 'done';
  };
  return { state, run };
}

describe('the context of a call', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  let b: Peer;
  let toB: RemotePeer;
  let toA: RemotePeer;

  beforeEach(async () => {
    network = new MemoryNetwork();
    ({ b, toB, toA } = await stage.pair({ network }));
  });

  afterEach(() => stage.clear());

  const kinds: [string, (inside: (context: CallContext) => unknown) => (...args: never[]) => unknown][] = [
    ['a plain function', (inside) => () => inside(current())],
    [
      'an async function, after it has waited',
      (inside) => async () => {
        await sleep(1);
        return inside(current());
      },
    ],
    ['a plain function that returns a promise', (inside) => () => sleep(1).then(() => inside(current()))],
    [
      'an async generator, between its values',
      (inside) =>
        async function* values() {
          yield 0;
          await sleep(1);
          yield inside(current());
        },
    ],
  ];
  for (const [name, make] of kinds) {
    it(`tells the caller, the tag and the remaining time: ${name}`, async () => {
      const seen: Omit<CallContext, 'meta' | 'trace'>[] = [];
      b.connect(
        'looks',
        make((context) => {
          const { caller, tag, signal, deadline } = context;
          seen.push({ caller, tag, signal, deadline });
        }),
      );
      // The first call of a function is not like the others.
      for (let round = 0; round < 3; round += 1) {
        const result = await toB.call('looks', [], { deadline: 5_000 });
        if (result) for await (const _ of result as AsyncIterable<unknown>);
        const { caller, tag, signal, deadline } = seen.at(-1)!;
        expect(caller).to.equal(toA);
        expect([tag, signal.aborted]).to.deep.equal(['looks', false]);
        if (name.includes('generator')) expect(deadline).to.equal(Infinity);
        else expect(deadline).to.be.within(1, 5_000);
      }
      expect(seen).to.have.length(3);
    });
  }

  it('has no caller in a function that is called plainly, and outside of any function', async () => {
    const look = b.connect('look', () => current());
    for (const context of [look(), current()]) {
      expect(context.caller).to.equal(undefined);
      expect(context.deadline).to.equal(Infinity);
      expect(context.signal.aborted).to.equal(false);
    }
  });

  it('belongs to the right call when many calls run at once', async () => {
    b.connect('mine', async (n: number) => {
      const before = current();
      await sleep(n % 3);
      return [current() === before, current().deadline > 1_000 * n];
    });
    const calls = Array.from({ length: 30 }, (_, n) => toB.call('mine', [n], { deadline: 1_000 * (n + 1) }));
    for (const same of await Promise.all(calls)) expect(same).to.deep.equal([true, true]);
  });

  describe('for calls inside it', () => {
    let c: Peer;
    let toC: RemotePeer;

    beforeEach(async () => {
      c = stage.make({ network, name: 'c' });
      await c.start();
      [toC] = (await meet(b, c.id)) as [RemotePeer];
    });

    it('passes its deadline on to them', async () => {
      c.connect('left', () => current().deadline);
      b.connect('relay', async (deadline?: number) => {
        await sleep(1);
        return toC.call('left', [], { deadline });
      });
      expect(await toB.call('relay', [], { deadline: 800 })).to.be.within(1, 800);
      expect(await toB.call('relay', [50], { deadline: 800 })).to.be.within(1, 50);
      expect(await toB.call('relay', [], { deadline: 60_000 })).to.be.within(20_000, 30_000);
    });

    it('cancels them when it is cancelled', async () => {
      const reasons: unknown[] = [];
      const keep = async (): Promise<void> => {
        const { signal } = current();
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        reasons.push(signal.reason);
      };
      c.connect('keep', keep);
      b.connect('relay', () => toC.call('keep'));
      const stop = new AbortController();
      const call = failure(toB.call('relay', [], { signal: stop.signal }));
      await eventually(() =>
        expect(c.actor.system.get('dispatcher').getSnapshot().context.running).to.equal(1),
      );
      stop.abort(new Error('enough'));
      expect(await call).to.have.property('message', 'enough');
      await eventually(() => expect(reasons).to.have.length(1));
      expect(reasons[0]).to.be.instanceOf(NetError).with.property('code', 'CANCELLED');
    });
  });
});

describe('a cancelled call', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  let a: Peer;
  let b: Peer;
  let toB: RemotePeer;

  beforeEach(async () => {
    network = new MemoryNetwork();
    ({ a, b, toB } = await stage.pair({ network, limits: { calls: 4 } }));
  });

  afterEach(() => stage.clear());

  it('rejects at once with the reason, and tells the remote function', async () => {
    let reason: unknown;
    b.connect('works', async () => {
      const { signal } = current();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      reason = signal.reason;
    });
    const stop = new AbortController();
    const call = failure(toB.call('works', [], { signal: stop.signal }));
    await eventually(() => expect(running(b)).to.equal(1));
    const why = { any: 'value' };
    stop.abort(why);
    expect(await call).to.equal(why);
    await eventually(() => expect(reason).to.be.instanceOf(NetError).with.property('code', 'CANCELLED'));
    await eventually(() => expect(running(b)).to.equal(0));
  });

  it('keeps its place there until its function has settled', async () => {
    const { state, run } = gate();
    b.connect('works', run);
    b.connect('quick', () => 'quick');
    const stops = Array.from({ length: 4 }, () => new AbortController());
    const calls = stops.map(({ signal }) => failure(toB.call('works', [], { signal })));
    await eventually(() => expect(state.running).to.equal(4));
    for (const stop of stops) stop.abort(new Error('enough'));
    await Promise.all(calls);
    const next = toB.call('quick');
    await sleep(20);
    expect(counters(a)).to.include({ pending: 0, waiting: 1 });
    state.release();
    expect(await next).to.equal('quick');
  });

  it('does not run there when it was still waiting here', async () => {
    const { state, run } = gate();
    b.connect('works', run);
    const first = Array.from({ length: 4 }, () => toB.call('works'));
    const stop = new AbortController();
    const call = failure(toB.call('works', [], { signal: stop.signal }));
    stop.abort(new Error('enough'));
    expect(await call).to.have.property('message', 'enough');
    await eventually(() => expect(state.running).to.equal(4));
    state.release();
    await Promise.all(first);
    expect(state.begun).to.equal(4);
  });

  it('aborts the remote function when the deadline passes', async () => {
    let reason: unknown;
    b.connect('works', async () => {
      const { signal } = current();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      reason = signal.reason;
    });
    const error = await failure(toB.call('works', [], { deadline: 30 }));
    expect(error).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'unknown' });
    await eventually(() => expect(reason).to.have.property('code', 'DEADLINE_EXCEEDED'));
  });

  it('aborts the remote function when its caller is lost', async () => {
    let reason: unknown;
    b.connect('works', async () => {
      const { signal } = current();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      reason = signal.reason;
    });
    const call = failure(toB.call('works'));
    await eventually(() => expect(running(b)).to.equal(1));
    network.kill(a.id);
    await eventually(() => expect(reason).to.have.property('code', 'CONNECTION_LOST'));
    await eventually(() => expect(running(b)).to.equal(0));
    void call;
  });

  it('never lets more functions run than the limit, even in a flood of cancels', async () => {
    const state = { running: 0, most: 0, begun: 0 };
    b.connect('works', async () => {
      state.begun += 1;
      state.running += 1;
      state.most = Math.max(state.most, state.running);
      await sleep(1);
      state.running -= 1;
    });
    b.connect('quick', () => 'quick');
    const calls: Promise<unknown>[] = [];
    for (let n = 0; n < 20_000; n += 1) {
      const stop = new AbortController();
      calls.push(failure(toB.call('works', [], { signal: stop.signal })));
      stop.abort(new Error('enough'));
      if (n % 500 === 0) calls.push(toB.call('quick'));
      if (n % 100 === 0) await sleep(0);
    }
    const outcomes = await Promise.all(calls);
    expect(outcomes.filter((each) => each === 'quick')).to.have.length(40);
    expect(state.most).to.be.at.most(4);
    await eventually(() => expect([running(b), state.running]).to.deep.equal([0, 0]));
    expect(counters(a)).to.include({ pending: 0, waiting: 0 });
  }).timeout(120_000);

  it('does not start there when its cancel was read together with it, after a stall', async () => {
    const folder = await stage.folder();
    const [x, y] = [createPeer({ runtimeDir: folder }), createPeer({ runtimeDir: folder })];
    await Promise.all([x.start(), y.start()]);
    const [toY] = (await meet(x, y.id)) as [RemotePeer];
    const begun: string[] = [];
    y.connect('late', () => void begun.push('late'));
    y.connect('on time', () => void begun.push('on time'));
    const controller = new AbortController();
    const late = failure(toY.call('late', [], { signal: controller.signal }));
    controller.abort(new Error('too late'));
    const onTime = toY.call('on time');
    // One process is enough to show it: both sides are held up.
    const until = performance.now() + 100;
    while (performance.now() < until);
    expect(await late).to.have.property('message', 'too late');
    await onTime;
    expect(begun).to.deep.equal(['on time']);
    await Promise.all([x.stop(), y.stop()]);
  });
});

function running(peer: Peer): number {
  return peer.actor.system.get('dispatcher').getSnapshot().context.running as number;
}

function counters(peer: Peer): { pending: number; waiting: number } {
  return peer.actor.system.get('caller').getSnapshot().context as { pending: number; waiting: number };
}
