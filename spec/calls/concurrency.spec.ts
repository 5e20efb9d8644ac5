import { expect } from 'chai';

import { current } from '../../src/index.ts';
import type { ConnectOptions, Peer, RemotePeer } from '../../src/index.ts';
import { FairQueue } from '../../src/calls/callee/fair-queue.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, meet, Stage } from '../support/peers.ts';

/** Work that ends when the test says so. */
function work() {
  const running: { name: string; end: () => void }[] = [];
  const begun: string[] = [];
  const run = async (name: string): Promise<string> => {
    begun.push(name);
    await new Promise<void>((resolve) => running.push({ name, end: resolve }));
    return name;
  };
  /** Ends the work that has run longest. */
  const end = async (): Promise<void> => {
    await eventually(() => running.length > 0);
    running.shift()!.end();
  };
  return { run, begun, running, end };
}

function dispatcherOf(peer: Peer): { waiting: number; running: number } {
  return peer.actor.system.get('dispatcher').getSnapshot().context;
}

describe('concurrency', () => {
  const stage = new Stage();
  const network = () => ({ network: new MemoryNetwork() });

  afterEach(() => stage.clear());

  it('lets only so many calls of a function run, in order, and all are answered', async () => {
    const { b, toB } = await stage.pair(network());
    let [running, most] = [0, 0];
    const begun: number[] = [];
    b.connect(
      'work',
      async (n: number) => {
        begun.push(n);
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return n;
      },
      { concurrency: 3 },
    );
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    expect(await Promise.all(numbers.map((n) => toB.call('work', [n])))).to.deep.equal(numbers);
    expect(begun).to.deep.equal(numbers);
    expect(most).to.equal(3);
    expect(dispatcherOf(b)).to.include({ waiting: 0, running: 0 });
  });

  it('gives turns to callers: one with many calls does not delay the others', async () => {
    const { b, toB } = await stage.pair(network());
    const other = stage.make({ network: b.actor.getSnapshot().context.network, name: 'other' });
    await other.start();
    const [fromOther] = await meet(other, b.id);
    const { run, begun, end } = work();
    b.connect('work', run, { concurrency: 1 });
    const many = Array.from({ length: 10 }, (_, n) => toB.call('work', [`a${n}`]));
    await eventually(() => dispatcherOf(b).waiting === 9);
    const one = fromOther!.call('work', ['other']);
    await eventually(() => dispatcherOf(b).waiting === 10);
    for (let n = 0; n < 11; n += 1) await end();
    await Promise.all([...many, one]);
    expect(begun.slice(0, 4)).to.deep.equal(['a0', 'a1', 'other', 'a2']);
  });

  it('refuses what does not fit into the queue, and nothing of it runs', async () => {
    const { b, toB } = await stage.pair(network());
    const { run, begun, end } = work();
    b.connect('work', run, { concurrency: 1, queue: 2 });
    const calls = ['a', 'b', 'c', 'd'].map((name) => toB.call('work', [name]));
    const error = await failure(calls[3]!);
    expect(error).to.include({ code: 'OVERLOADED', ran: 'no', retriable: true });
    expect((error as Error).message).to.include('1 calls run and 2 wait');
    for (let n = 0; n < 3; n += 1) await end();
    expect(await Promise.all(calls.slice(0, 3))).to.deep.equal(['a', 'b', 'c']);
    expect(begun).to.deep.equal(['a', 'b', 'c']);
  });

  it('does not run a call that is cancelled, or too late, while it waits', async () => {
    const { b, toB } = await stage.pair(network());
    const { run, begun, end } = work();
    b.connect('work', run, { concurrency: 1 });
    const first = toB.call('work', ['first']);
    const stop = new AbortController();
    const cancelled = toB.call('work', ['cancelled'], { signal: stop.signal });
    const late = toB.call('work', ['late'], { deadline: 1_000 });
    const last = toB.call('work', ['last']);
    await eventually(() => dispatcherOf(b).waiting === 3);
    stop.abort(new Error('no longer'));
    expect(await failure(cancelled)).to.include({ message: 'no longer' });
    expect(await failure(late)).to.include({ code: 'DEADLINE_EXCEEDED' });
    await eventually(() => dispatcherOf(b).waiting === 1);
    await end();
    await end();
    expect(await Promise.all([first, last])).to.deep.equal(['first', 'last']);
    expect(begun).to.deep.equal(['first', 'last']);
  });

  it('forgets the waiting calls of a caller that leaves', async () => {
    const { a, b, toB } = await stage.pair(network());
    const { run, begun, end } = work();
    b.connect('work', run, { concurrency: 1 });
    const calls = ['a', 'b', 'c'].map((name) => failure(toB.call('work', [name])));
    await eventually(() => dispatcherOf(b).waiting === 2);
    await a.stop({ drainTime: 0 });
    await Promise.all(calls);
    await eventually(() => dispatcherOf(b).waiting === 0);
    await end();
    await eventually(() => dispatcherOf(b).running === 0);
    expect(begun).to.deep.equal(['a']);
  });

  it('lets waiting calls run before the peer has stopped', async () => {
    const { b, toB } = await stage.pair({ ...network(), drainTime: 10_000 });
    const { run, end } = work();
    b.connect('work', run, { concurrency: 1 });
    const calls = ['a', 'b'].map((name) => toB.call('work', [name]));
    await eventually(() => dispatcherOf(b).waiting === 1);
    const stopped = b.stop();
    await end();
    await end();
    expect(await Promise.all(calls)).to.deep.equal(['a', 'b']);
    await stopped;
  });

  it('counts a stream until it ends, and keeps the arguments of a call that waits', async () => {
    const { b, toB } = await stage.pair(network());
    b.connect(
      'echo',
      async function* echo(values: AsyncIterable<number>) {
        for await (const value of values) yield value;
      },
      { concurrency: 1 },
    );
    const numbers = async function* (): AsyncGenerator<number> {
      for (let n = 0; n < 100; n += 1) yield n;
    };
    const first = toB.stream('echo', [numbers()]);
    await first.next();
    const second = toB.stream('echo', [numbers()]);
    const next = second.next();
    await eventually(() => dispatcherOf(b).waiting === 1);
    await first.return(undefined);
    expect(await next).to.deep.equal({ done: false, value: 0 });
    const rest: unknown[] = [];
    for await (const value of second) rest.push(value);
    expect(rest).to.have.length(99);
  });

  it('frees the place of a function that throws, at once or later', async () => {
    const { b, toB } = await stage.pair(network());
    const options = { concurrency: 1 };
    b.connect('now', () => { throw new RangeError('now'); }, options); // oxfmt-ignore
    b.connect('later', () => Promise.reject(new RangeError('later')), options);
    b.connect('plain', (n: number) => n, options);
    for (const tag of ['now', 'later', 'now', 'later']) {
      expect(await failure(toB.call(tag))).to.be.instanceOf(RangeError);
    }
    expect(await Promise.all([1, 2, 3].map((n) => toB.call('plain', [n])))).to.deep.equal([1, 2, 3]);
  });

  it('is one limit for all peers of the process', async () => {
    const { a, b, toA, toB } = await stage.pair(network());
    const { run, end, running } = work();
    a.connect('work', run, { concurrency: 1 });
    b.connect('work', run);
    const calls = [toA, toB].map((peer) => peer.call('work', [peer.name]));
    await eventually(() => dispatcherOf(a).waiting + dispatcherOf(b).waiting === 1);
    expect(running).to.have.length(1);
    await end();
    await end();
    await Promise.all(calls);
  });

  it('settles each call once when calls are cancelled at any time', async () => {
    const { b, toB } = await stage.pair(network());
    let [began, cancelled] = [0, 0];
    b.connect(
      'work',
      async () => {
        began += 1;
        current().signal.addEventListener('abort', () => (cancelled += 1));
        await new Promise((resolve) => setImmediate(resolve));
      },
      { concurrency: 2, queue: 50 },
    );
    const one = async (to: RemotePeer, n: number): Promise<string> => {
      const stop = new AbortController();
      const call = toOutcome(to.call('work', [], { signal: stop.signal }));
      for (let turn = n % 7; turn > 0; turn -= 1) await new Promise((resolve) => setImmediate(resolve));
      if (n % 3 === 0) stop.abort(new Error('cancelled'));
      return call;
    };
    const outcomes = await Promise.all(Array.from({ length: 500 }, (_, n) => one(toB, n)));
    expect(new Set(outcomes)).to.deep.equal(new Set(['done', 'cancelled', 'OVERLOADED']));
    await eventually(() => dispatcherOf(b).running + dispatcherOf(b).waiting === 0);
    expect(began).to.be.at.least(outcomes.filter((each) => each === 'done').length);
    expect(cancelled).to.be.at.most(began);
  });

  it('refuses limits that mean nothing', () => {
    const peer = stage.make(network());
    const wrong: [ConnectOptions, string][] = [
      [{ concurrency: 0 }, 'concurrency: give a whole number, from 1'],
      [{ concurrency: 1.5 }, 'concurrency: give a whole number'],
      [{ concurrency: 1, queue: -1 }, 'queue: give a whole number'],
      [{ queue: 5 }, 'queue: calls wait only with a limit; give concurrency, too'],
    ];
    for (const [options, message] of wrong) {
      expect(() => peer.connect('work', () => 1, options)).to.throw(TypeError, message);
    }
  });
});

describe('a fair queue', () => {
  it('lets owners take turns and keeps the order of each', () => {
    const queue = new FairQueue<string>();
    const [a, b] = [{}, {}];
    for (const item of ['a1', 'a2', 'a3']) queue.push(a, item);
    for (const item of ['b1', 'b2']) queue.push(b, item);
    expect(queue.remove(a, 'a2')).to.equal(true);
    expect(queue.remove(b, 'a1')).to.equal(false);
    expect([queue.take(), queue.take(), queue.take(), queue.take(), queue.take()]).to.deep.equal([
      'a1',
      'b1',
      'a3',
      'b2',
      undefined,
    ]);
    expect(queue.size).to.equal(0);
  });
});

async function toOutcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'done';
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).message;
  }
}
