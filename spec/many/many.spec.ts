import { expect } from 'chai';

import { NetError } from '../../src/index.ts';
import type { Peer, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';

describe('a function that several peers have', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  let caller: Peer;
  let workers: Peer[];

  beforeEach(async () => {
    network = new MemoryNetwork();
    caller = stage.make({ network, name: 'caller' });
    workers = ['w1', 'w2', 'w3'].map((name) => stage.make({ network, name }));
    await Promise.all(workers.map((worker) => worker.start()));
  });

  afterEach(() => stage.clear());

  /** Connects a function on each worker, which is given the worker's name first. */
  function connectAll(tag: string, fn: (name: string, ...args: never[]) => unknown): void {
    for (const worker of workers) {
      worker.connect(tag, (...args: unknown[]) => fn(worker.name, ...(args as never[])));
    }
  }

  const where = (): ReturnType<typeof caller.remote<() => string>> => caller.remote<() => string>('where');

  it('is called on any of them by a peer that was only just made', async () => {
    connectAll('where', (name) => name);
    expect(await where().any()()).to.be.oneOf(['w1', 'w2', 'w3']);
  });

  it('is called about equally often on each', async () => {
    connectAll('where', (name) => name);
    await caller.getPeers();
    const counts = new Map<string, number>();
    for (let count = 0; count < 300; count += 1) {
      const name = await where().any()();
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect([...counts.keys()]).to.have.members(['w1', 'w2', 'w3']);
    // 100 each are expected; to be off by 50 takes more than six standard deviations.
    for (const count of counts.values()) expect(count).to.be.within(50, 150);
  });

  it('is called where fewer calls are under way', async () => {
    const release: (() => void)[] = [];
    connectAll('where', (name) => {
      if (name !== 'w1') return name;
      return new Promise((resolve) => release.push(() => resolve(name)));
    });
    const peers = await caller.getPeers();
    const w1 = peers.find(({ name }) => name === 'w1')!;
    const stuck = Array.from({ length: 20 }, () => where().on(w1)());
    const names = await Promise.all(Array.from({ length: 30 }, () => where().any()()));
    expect(new Set(names)).to.deep.equal(new Set(['w2', 'w3']));
    for (const each of release) each();
    await Promise.all(stuck);
  });

  it('is called only on peers that the selector matches', async () => {
    connectAll('where', (name) => name);
    expect(await where().any({ name: 'w2' })()).to.equal('w2');
    const error = (await failure(where().any({ group: 'gpu' })())) as NetError;
    expect(error).to.include({ code: 'NO_SUCH_TAG', tag: 'where' });
    expect(error.message).to.include('has it but is not selected');
    expect(await where().any({ where: ({ name }) => name === 'w3' })()).to.equal('w3');
  });

  it('is never called on the peer that calls', async () => {
    const fn = caller.connect('own', () => 'here');
    expect(await failure(fn.any()())).to.include({ code: 'NO_SUCH_TAG' });
    expect(fn()).to.equal('here');
  });

  it('is awaited: a peer may connect it while it is online', async () => {
    const late = where().any({}, { wait: true })();
    await caller.getPeers();
    workers[1]!.connect('where', () => 'w2 at last');
    expect(await late).to.equal('w2 at last');
  });

  it('is called elsewhere when a worker disconnects it while the call is on its way', async () => {
    const calls: Promise<unknown>[] = [];
    const [leaving] = workers;
    const own = leaving!.connect('where too', () => 'w1');
    for (const worker of workers.slice(1)) worker.connect('where too', () => worker.name);
    await caller.getPeers();
    const too = caller.remote<() => string>('where too');
    for (let count = 0; count < 30; count += 1) calls.push(too.any()());
    leaving!.disconnect(own);
    // Some were on their way to it, got NO_SUCH_TAG, and were answered by the others.
    expect(await Promise.all(calls))
      .to.have.length(30)
      .and.not.include('w1');
  });

  it('moves on from a worker that stops, without losing a call', async () => {
    connectAll('where', async (name) => {
      await new Promise((resolve) => setImmediate(resolve));
      return name;
    });
    await caller.getPeers();
    const calls = Array.from({ length: 200 }, () => where().any()());
    const stopping = workers[0]!.stop();
    calls.push(...Array.from({ length: 200 }, () => where().any()()));
    expect(await Promise.all(calls)).to.have.length(400);
    await stopping;
  });

  it('is repeated after a loss only when it is idempotent', async () => {
    let runs = 0;
    connectAll('work', async (name) => {
      runs += 1;
      if (runs === 1) network.kill(workers.find((worker) => worker.name === name)!);
      return 'done';
    });
    await caller.getPeers();
    expect(await caller.remote('work', { idempotent: true }).any()()).to.equal('done');
    expect(runs).to.equal(2);
  });

  it('stays idempotent when it is connected to another local peer as well', async () => {
    let runs = 0;
    connectAll('work', async (name) => {
      runs += 1;
      if (runs === 1) network.kill(workers.find((worker) => worker.name === name)!);
      return 'done';
    });
    const work = caller.connect('work', () => 'here', { idempotent: true });
    stage.make({ network }).connect('work', work);
    await caller.getPeers();
    expect(await work.any()()).to.equal('done');
    expect(runs).to.equal(2);
  });

  it('fails after a loss when it is not idempotent', async () => {
    let runs = 0;
    connectAll('work', async (name) => {
      runs += 1;
      network.kill(workers.find((worker) => worker.name === name)!);
      return 'done';
    });
    const work = caller.connect('work', () => 'here');
    await caller.getPeers();
    expect(await failure(work.any()())).to.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
    expect(runs).to.equal(1);
  });

  it('is called on all of them, with the peer of each result', async () => {
    connectAll('where', (name) => {
      if (name === 'w2') throw new RangeError('not me');
      return name;
    });
    const told: Record<string, unknown> = {};
    for await (const result of where().all()()) {
      told[result.peer.name] = result.status === 'fulfilled' ? result.value : String(result.reason);
    }
    expect(told).to.deep.equal({ w1: 'w1', w2: 'RangeError: not me', w3: 'w3' });
  });

  it('is mapped over all of them, while one joins and one is killed', async () => {
    const seen = new Set<string>();
    const double = async (name: string, x: number): Promise<number> => {
      seen.add(name);
      await new Promise((resolve) => setImmediate(resolve));
      return x * 2;
    };
    connectAll('double', double);
    const numbers = Array.from({ length: 1_000 }, (_, index) => index);
    const remote = caller.remote<(x: number) => number>('double', { idempotent: true });
    const values: number[] = [];
    for await (const result of remote.map(numbers, { ordered: true })) {
      if (result.status === 'rejected') throw result.reason;
      values.push(result.value);
      if (values.length === 200) network.kill(workers[0]!);
      if (values.length === 400) {
        const late = stage.make({ network, name: 'late' });
        late.connect('double', (x: number) => double('late', x));
        void late.start();
        // The rest takes longer than the newcomer to be found.
        await caller.peers.ready({ name: 'late', has: 'double' });
      }
    }
    expect(values).to.deep.equal(numbers.map((x) => x * 2));
    expect([...seen]).to.have.members(['w1', 'w2', 'w3', 'late']);
  });

  it('has no calls under way after a loop is left', async () => {
    connectAll('forever', () => new Promise(() => {}));
    const forever = caller.remote<(x?: number) => number>('forever');
    await caller.getPeers();
    const timer = setTimeout(() => {}, 10_000);
    const first = forever.all()(1);
    const second = forever.map([1, 2, 3]);
    const waiting = [first.next(), second.next()];
    const counters = caller.actor.system.get('caller').getSnapshot().context;
    await eventually(() => expect(counters.pending).to.equal(6));
    await Promise.all([first.return(), second.return()]);
    expect(await Promise.all(waiting)).to.deep.equal([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    await eventually(() => expect([counters.pending, counters.waiting]).to.deep.equal([0, 0]));
    clearTimeout(timer);
  });

  it('is called from one of its local peers that still runs', async () => {
    connectAll('where', (name) => name);
    const other = stage.make({ network, name: 'other' });
    const fn = (): string => 'here';
    caller.connect('where', fn);
    const connected = other.connect('where', fn);
    await Promise.all([caller.start(), other.start()]);
    await caller.stop();
    expect(await connected.any()()).to.be.oneOf(['w1', 'w2', 'w3']);
    await other.stop();
    expect(await failure(connected.any()())).to.include({ code: 'STOPPED' });
  });

  describe('refuses', () => {
    const remote = (): ReturnType<typeof caller.remote<(x: number) => number>> =>
      caller.remote<(x: number) => number>('work');
    const cases: [string, (fn: ReturnType<typeof remote>) => unknown, string][] = [
      ['a selector that is none', (fn) => fn.any({ gruop: 'x' } as never), 'did you mean group'],
      ['a deadline that is none', (fn) => fn.any({}, { deadline: -1 }), 'deadline: give a number'],
      [
        'a signal that is none',
        (fn) => fn.all({}, { signal: {} as AbortSignal }),
        'signal: give an AbortSignal',
      ],
      ['an option that does not exist', (fn) => fn.any({}, { await: true } as never), 'no option await'],
      ['`wait` where nobody waits', (fn) => fn.all({}, { wait: true } as never), 'no option wait'],
      ['options that are none', (fn) => fn.any({}, null as never), 'options must be an object'],
      ['inputs that are none', (fn) => fn.map(5 as never), 'map(inputs)'],
      ['no inputs', (fn) => fn.map(undefined as never), 'map(inputs)'],
      ['no concurrency', (fn) => fn.map([], { concurrency: 0 }), 'concurrency: give a whole number'],
      ['half an order', (fn) => fn.map([], { ordered: 1 as never }), 'ordered: give true or false'],
      [
        'a callback that is none',
        (fn) => fn.map([], { onProgress: {} as never }),
        'onProgress: give a function',
      ],
      ['arguments that are made by none', (fn) => fn.map([], { args: [] as never }), 'args: give a function'],
    ];
    for (const [what, act, text] of cases) {
      it(what, () => {
        expect(() => act(remote())).to.throw(TypeError, text);
      });
    }

    it('an input whose arguments come in no list', async () => {
      connectAll('work', (_name, x: number) => x);
      const [first] = [
        await remote()
          .map([1], { args: (() => 5) as never })
          .next(),
      ];
      expect((first.value as { reason: Error }).reason.message).to.include(
        'args: the function must return an array of arguments',
      );
    });
  });

  describe('when it returns a stream', () => {
    async function* count(to: number): AsyncGenerator<number, string> {
      for (let index = 0; index < to; index += 1) yield index;
      return 'done';
    }

    const read = async (stream: AsyncGenerator<number, string>): Promise<unknown[]> => {
      const values: unknown[] = [];
      for (;;) {
        const { done, value } = await stream.next();
        values.push(value);
        if (done) return values;
      }
    };

    it('is iterated on any of them, with or without local code', async () => {
      for (const worker of workers) worker.connect('count', (to: number) => count(to));
      const far = caller.remote<typeof count>('count');
      expect(await read(far.any()(3))).to.deep.equal([0, 1, 2, 'done']);
      const near = caller.connect('count', count);
      expect(await read(near.any()(3))).to.deep.equal([0, 1, 2, 'done']);
    });

    it('is opened elsewhere when a peer does not accept it', async () => {
      for (const worker of workers) worker.connect('count', (to: number) => count(to));
      const near = caller.connect('count', count);
      await caller.getPeers();
      const streams = Array.from({ length: 30 }, () => read(near.any()(2)));
      const stopping = workers[0]!.stop();
      for (const values of await Promise.all(streams)) expect(values).to.deep.equal([0, 1, 'done']);
      await stopping;
    });

    it('is not repeated once an argument that is a stream was sent', async () => {
      connectAll('eat', async (name, stream: AsyncIterable<unknown>) => {
        for await (const _ of stream) network.kill(workers.find((worker) => worker.name === name)!);
      });
      const eat = caller.remote<(stream: AsyncIterable<number>) => void>('eat', { idempotent: true });
      await caller.getPeers();
      expect(await failure(eat.any()(count(5)))).to.include({ code: 'CONNECTION_LOST', ran: 'unknown' });
      expect(() => eat.all()(count(5))).to.throw(TypeError, 'only one peer can read');
    });
  });

  it('ends with the call that it was made in', async () => {
    connectAll('forever', () => new Promise(() => {}));
    const forever = caller.remote<(x?: number) => void>('forever');
    const spellings: Record<string, () => Promise<unknown>> = {
      any: () => forever.any()(),
      'any that waits': () => caller.remote('nowhere').any({}, { wait: true })(),
      all: () => forever.all()().next(),
      map: () => forever.map([1]).next(),
    };
    const ends: Record<string, unknown> = {};
    caller.connect('outer', async (spelling: string) => {
      ends[spelling] = await failure(spellings[spelling]!());
    });
    await Promise.all([caller.getPeers(), workers[0]!.peers.ready('outer')]);
    const outer = workers[0]!.remote<(spelling: string) => void>('outer');
    for (const spelling of Object.keys(spellings)) {
      const controller = new AbortController();
      const call = failure(outer.any({}, { signal: controller.signal })(spelling));
      await eventually(() => caller.actor.system.get('dispatcher').getSnapshot().context.running === 1);
      controller.abort();
      await call;
      await eventually(() => ends[spelling] !== undefined);
      expect(ends[spelling], spelling).to.be.instanceOf(NetError).with.property('code', 'CANCELLED');
    }
  });

  it('has the peer in each result', async () => {
    connectAll('where', (name) => name);
    const peers: RemotePeer[] = [];
    for await (const { peer } of where().all()()) peers.push(peer);
    expect(peers).to.have.members(await caller.getPeers());
  });
});
