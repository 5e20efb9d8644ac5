import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { current } from '../../src/index.ts';
import type { CallMessage, CallOptions, ConnectOptions } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { befriend } from '../support/friend.ts';
import { failure, meet, portOf, Stage } from '../support/peers.ts';
import { TooHeavy, connectThreads } from '../support/thread-functions.ts';

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const each of stream) values.push(each);
  return values;
}

async function* numbers(to: number): AsyncGenerator<number> {
  for (let n = 0; n < to; n += 1) yield n;
}

/** Two peers; `b` has the functions. `far` calls them from `a`, `near` in the process of `b`. */
async function pairOn(stage: Stage, options: Partial<ConnectOptions> = {}, settings = {}) {
  const network = new MemoryNetwork();
  const both = await stage.pair({ network, ...settings });
  const near = connectThreads(both.b, options);
  const far = <K extends keyof typeof near>(name: K, how?: CallOptions) =>
    both.a.remote<(typeof near)[K]>(`t.${name}`).on(both.toB.id, how);
  return { ...both, near, far, network };
}

describe('a function in threads', () => {
  const stage = new Stage();
  const shared = new Stage();
  /** Threads take a while to load this library's sources, so most tests share one. */
  let one: Awaited<ReturnType<typeof pairOn>>;

  before(async () => {
    one = await pairOn(shared);
  });
  after(() => shared.clear());
  afterEach(() => stage.clear());

  it('runs in another thread for other peers and for `thread`, and here when it is called plainly', async () => {
    const { near, far } = one;
    expect(near.where().isMainThread).to.equal(true);
    const there = await far('where')();
    expect(there.isMainThread).to.equal(false);
    expect(await near.where.thread()()).to.deep.equal(there);
    expect(await far('add')(1, 2)).to.equal(3);
    expect(await far('addLater')(1, 2)).to.equal(3);
  });

  it('is given values of every kind, and returns them', async () => {
    const { near, far } = one;
    const values = [
      undefined,
      null,
      0,
      '',
      new Date(5),
      new Map([[1, new Set(['a'])]]),
      5n,
      { a: [undefined] },
    ];
    for (const call of [far('echo'), near.echo.thread()]) {
      for (const value of values) expect(await call(value)).to.deep.equal(value);
    }
  });

  it('is given bytes and returns them, and keeps its own', async () => {
    const { near, far } = one;
    const bytes = Uint8Array.from({ length: 1_000_000 }, (_, n) => n);
    for (const call of [far('bytes'), near.bytes.thread()]) {
      const there = await call(bytes);
      expect(Buffer.compare(there, bytes.toReversed())).to.equal(0);
    }
    expect(bytes).to.have.length(1_000_000);
    for (let n = 0; n < 2; n += 1) {
      expect((await far('keptBytes')()).every((each) => each === 7)).to.equal(true);
      expect(await near.keptBytes.thread()()).to.have.length(100_000);
    }
  });

  it('fails with the error of the function: its class, properties, cause and stack', async () => {
    const { near, far } = one;
    for (const call of [far('fail'), near.fail.thread()]) {
      const error = (await failure(call())) as TooHeavy;
      expect(error).to.be.instanceOf(TooHeavy);
      expect(error).to.include({ message: 'too heavy', kilograms: 7 });
      expect(error.cause).to.be.instanceOf(RangeError);
      expect(error.stack).to.match(/thread-functions\.ts.*\n.*at peer "b"/);
      expect(error.stack).to.include('threads.spec.ts');
    }
    for (const value of [undefined, null, 0, 'text']) {
      expect(await failure(far('throwValue')(value))).to.equal(value);
    }
  });

  it('says which value cannot be sent, and whether the function ran', async () => {
    const { near, far } = one;
    for (const call of [far('unsendable'), near.unsendable.thread()]) {
      const error = await failure(call());
      expect(error).to.include({ code: 'NOT_SERIALIZABLE', ran: 'yes' });
    }
    const unsent = await failure(near.echo.thread()(() => 1));
    expect(unsent).to.include({ code: 'NOT_SERIALIZABLE', ran: 'no' });
    expect(await near.add.thread()(1, 2)).to.equal(3);
  });

  it('streams its result, in both ways to call it', async () => {
    const { near, far } = one;
    for (const call of [far('count'), near.count.thread()]) {
      expect(await all(call(300))).to.deep.equal(Array.from({ length: 300 }, (_, n) => n));
      const stream = call(1_000_000);
      await stream.next();
      await stream.return('enough');
      const failing = all(call(5));
      expect(await failing).to.have.length(5);
    }
    const failed = await failure(all(far('countThenFail')(3)));
    expect(failed).to.be.instanceOf(TooHeavy);
    expect(await near.add.thread()(1, 2)).to.equal(3);
  });

  it('sends the values of its stream while it computes', async () => {
    const { near, far } = one;
    for (const call of [far('computeUntil'), near.computeUntil.thread()]) {
      const file = join(await stage.folder(), 'over');
      const stream = call(file);
      expect((await stream.next()).value).to.equal('begun');
      expect((await stream.next()).value).to.equal('under way');
      await writeFile(file, '');
      expect(await all(stream)).to.deep.equal(['over']);
    }
  });

  it('takes streams as arguments', async () => {
    const { near, far } = one;
    for (const [sum, double] of [
      [far('sum'), far('double')],
      [near.sum.thread(), near.double.thread()],
    ] as const) {
      expect(await sum(numbers(200))).to.equal(19_900);
      expect(await all(double(numbers(200)))).to.deep.equal(Array.from({ length: 200 }, (_, n) => n * 2));
    }
  });

  it('knows who called, with which tag, and how long the caller waits', async () => {
    const { a, near, far } = one;
    const there = await far('who')();
    expect(there).to.include({ id: a.id, name: 'a', group: 'main', guest: false, tag: 't.who' });
    expect(there.deadline).to.be.within(25_000, 30_000);
    expect(there.meta).to.deep.equal({});
    expect(await near.who.thread({ deadline: Infinity })()).to.include({ id: undefined, name: undefined });
  });

  it('knows that a guest called', async () => {
    const { b, network } = one;
    const guest = stage.make({ network, pass: await b.pass({ may: ['t.who'], name: 'shop' }) });
    await guest.start();
    const [toB] = await meet(guest, b.id);
    expect(await toB!.call('t.who')).to.include({ name: 'shop', guest: true });
  });

  it('reads the meta of the call, as a hook left it', async () => {
    const { b, near, far } = one;
    const options = { meta: { token: 'secret' } };
    expect((await far('who', options)()).meta).to.deep.equal({ token: 'secret' });
    expect((await near.who.thread(options)()).meta).to.deep.equal({ token: 'secret' });
    const unhook = b.use((call, next) => {
      call.meta = { user: 'ada' };
      return next();
    });
    expect((await far('who', options)()).meta).to.deep.equal({ user: 'ada' });
    unhook();
  });

  it('is told of on the channels, as every other function', async () => {
    const { far } = one;
    const ends: unknown[] = [];
    const listener = (message: unknown): void => {
      const { side, tag, end } = message as CallMessage;
      if (side === 'callee') ends.push([tag, end?.ok]);
    };
    subscribe('app-net:call:end', listener);
    subscribe('app-net:call:error', listener);
    expect(await far('add')(1, 2)).to.equal(3);
    await failure(far('fail')());
    expect(await all(far('count')(3))).to.have.length(3);
    unsubscribe('app-net:call:end', listener);
    unsubscribe('app-net:call:error', listener);
    await eventually(() => ends.length === 3);
    expect(ends).to.deep.equal([
      ['t.add', true],
      ['t.fail', false],
      ['t.count', true],
    ]);
  });

  it('costs its process nothing while it computes', async () => {
    const { b, toB, near, far } = one;
    b.connect('quick', () => 'quick');
    await near.add.thread()(1, 2);
    const work = far('spin')(400);
    let slowest = 0;
    for (let n = 0; n < 20; n += 1) {
      const start = performance.now();
      await toB.call('quick');
      slowest = Math.max(slowest, performance.now() - start);
    }
    expect(slowest).to.be.below(300);
    expect(await work).to.equal(400);
  });

  it('runs as many calls at a time as it has threads', async () => {
    const { far } = await pairOn(stage, { threads: 2 });
    const threads = new Set<number>();
    await eventually(async () => {
      const calls = [far('spin')(10), far('where')(), far('spin')(10), far('where')()] as const;
      for (const each of [await calls[1], await calls[3]]) threads.add(each.threadId);
      await Promise.all(calls);
      return threads.size === 2;
    });
  });

  it('runs hooks on the main thread, around the calls of others', async () => {
    const { b, far } = one;
    const seen: unknown[] = [];
    const unhook = b.use(async (call, next) => {
      const result = await next();
      seen.push([call.tag, call.args, result]);
      return result;
    });
    expect(await far('add')(1, 2)).to.equal(3);
    expect(await failure(far('fail')())).to.be.instanceOf(TooHeavy);
    expect(await all(far('count')(3))).to.deep.equal([0, 1, 2]);
    unhook();
    expect(seen[0]).to.deep.equal(['t.add', [1, 2], 3]);
  });

  it('refuses what does not fit into the queue, and nothing of it runs', async () => {
    const { near, far } = await pairOn(stage, { queue: 1 });
    await near.add.thread()(1, 2);
    const calls = [far('spin')(100), far('spin')(1)];
    const error = await failure(far('spin')(1));
    expect(error).to.include({ code: 'OVERLOADED', ran: 'no' });
    expect(await Promise.all(calls)).to.deep.equal([100, 1]);
  });

  it('ends its threads when the peer stops, after the calls that run', async () => {
    const { b, near, far } = await pairOn(stage, {}, { drainTime: 10_000 });
    await near.add.thread()(1, 2);
    const work = far('spin')(100);
    await eventually(() => b.actor.system.get('dispatcher').getSnapshot().context.running === 1);
    await b.stop();
    expect(await work).to.equal(100);
  });

  it('calls functions of other peers, through its process', async () => {
    const { a, b, far, near } = one;
    a.connect('square', (n: number) => n * n);
    a.connect('sum', async (values: AsyncIterable<number>) => {
      let sum = 0;
      for await (const each of values) sum += each;
      return sum;
    });
    a.connect('count', async function* count(to: number): AsyncGenerator<number> {
      for (let n = 0; n < to; n += 1) yield n;
    });
    a.connect('fail', () => {
      throw new TooHeavy('there');
    });
    await b.peers.ready('fail');
    expect(await near.callAny.thread()('square', [7])).to.equal(49);
    expect(await far('callBack')('square', 8)).to.equal(64);
    expect(await all(far('callStream')('count', 100))).to.have.length(100);
    expect(await far('callWithStream')('sum')).to.equal(500);
    expect(await failure(near.callAny.thread()('fail', []))).to.be.instanceOf(TooHeavy);
    expect(await failure(near.callAny.thread()('nobody.has.this', []))).to.have.property('name', 'NetError');
    expect(await far('names')()).to.deep.equal(['a']);
    expect(await failure(near.emit.thread()()))
      .to.have.property('message')
      .that.includes('events cannot be used');
  });

  it('answers requests that cannot be read, and runs nothing but what was asked for', async () => {
    const secret = 'a secret of fifteen characters';
    const peer = stage.make({ secret, runtimeDir: await stage.folder() });
    connectThreads(peer);
    await peer.start();
    const { socket, frames, closed } = await befriend(portOf(peer), secret);
    const head = (id: number, tag = 't.add'): string => `{"type":"request","id":${id},"tag":"${tag}","args":`;
    const lines = [
      `${head(1)}[1,,2],"kwargs":{}}`,
      `${head(2)}[1,2],"tag":"t.where","kwargs":{}}`,
      `${head(3)}[1,2],"id":9,"kwargs":{}}`,
      `${head(4)}[null,2],"str\\u0065ams":[0],"kwargs":{}}`,
      `${head(5)}[1,2],"kwargs":{}}`,
      `{"id":6,"type":"request","tag":"t.add","args":[3,4]}`,
      `${head(7)}[1,2],"kwargs":{},"deadline":30000}`,
    ];
    socket.send(lines.join('\n'));
    await eventually(() => frames.filter(({ id }) => id >= 1).length === lines.length);
    const answers = new Map(
      frames.map((frame) => [frame.id, frame.failure?.code ?? (frame as { value?: unknown }).value]),
    );
    expect([1, 2, 3, 4].map((id) => answers.get(id))).to.deep.equal(
      Array.from({ length: 4 }, () => 'BAD_REQUEST'),
    );
    expect([5, 6, 7].map((id) => answers.get(id))).to.deep.equal([3, 7, 3]);
    socket.terminate();
    await closed;
  });

  it('refuses options that mean nothing', () => {
    const peer = stage.make({ network: new MemoryNetwork() });
    const wrong: [ConnectOptions, string][] = [
      [{ threads: 0 }, 'threads: give a whole number, from 1 to 256'],
      [{ threads: 'all' as 'auto' }, "threads: give a whole number, from 1 to 256, or 'auto'"],
      [{ kill: 5 }, 'kill: this is an option of threads'],
      [{ threads: 1, kill: -1 }, 'kill: give a number of milliseconds'],
      [
        { threads: 1, resourceLimits: { maxOldGenerationSizeMb: 0 } },
        'resourceLimits.maxOldGenerationSizeMb: give',
      ],
      [{ threads: 1, resourceLimits: { heap: 5 } as object }, 'there is no limit heap'],
    ];
    for (const [options, message] of wrong) {
      expect(() => peer.connect('work', () => 1, options)).to.throw(TypeError, message);
    }
    expect(current().caller).to.equal(undefined);
  });
});
