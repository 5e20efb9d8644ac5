import { expect } from 'chai';

import { takenOver } from '../../src/calls/callee/taken-calls.ts';
import { LoadTelling } from '../../src/calls/callee/load-telling.ts';
import type { Limited, LoadWatcher } from '../../src/calls/callee/limited.ts';
import type { RunningCall } from '../../src/calls/callee/running-call.ts';
import type { Link } from '../../src/connection/link/link.ts';
import { MemoryNetwork, SimulatedClock } from '../../src/testing.ts';
import { meet, Stage } from '../support/peers.ts';
import { eventually } from '../support/eventually.ts';

class FakeLimited implements Limited {
  readonly watchers = new Set<LoadWatcher>();
  running = 0;
  readonly limit = 2;

  get load() {
    return { running: this.running, waiting: 0, limit: this.limit };
  }

  get hasRoom(): boolean {
    return this.running < this.limit;
  }

  set(running: number): void {
    this.running = running;
    for (const watcher of this.watchers) watcher.changed();
  }
}

describe('telling callers how busy a function is', () => {
  const stage = new Stage();
  let clock: SimulatedClock;
  let limited: FakeLimited;
  let telling: LoadTelling;

  beforeEach(() => {
    clock = new SimulatedClock();
    limited = new FakeLimited();
    telling = new LoadTelling('work', limited, clock);
  });
  afterEach(() => stage.clear());

  /** @param own how many of the calls are the caller's */
  function caller(own = 0, load?: true): { link: Link; told: string[]; congested: boolean } {
    const told: string[] = [];
    const fake = { limits: { load }, congested: false, send: (text: string) => told.push(text) };
    const link = fake as unknown as Link;
    for (let id = 1; id <= own; id += 1) takenOver(link).running.add({ id, tag: 'work' } as RunningCall);
    takenOver(link).running.add({ id: 9, tag: 'other' } as RunningCall);
    return Object.assign(fake, { link, told });
  }

  const frame = (running: number, yours: number) =>
    JSON.stringify({ type: 'load', tag: 'work', running, waiting: 0, yours, limit: 2 });

  it('tells a caller that asked for it, and only when the calls of others have changed', () => {
    const [one, deaf] = [caller(1, true), caller(1)];
    telling.called(one.link);
    telling.called(deaf.link);
    limited.set(2);
    clock.increment(1);
    expect(one.told).to.deep.equal([frame(2, 1)]);
    takenOver(one.link).running.clear();
    limited.set(1);
    clock.increment(100);
    expect(one.told).to.have.length(1);
    limited.set(2);
    clock.increment(100);
    expect(one.told).to.deep.equal([frame(2, 1), frame(2, 0)]);
    expect(deaf.told).to.deep.equal([]);
  });

  it('tells at most every 100 ms, but at once that there is room again', async () => {
    const one = caller(0, true);
    telling.called(one.link);
    limited.set(1);
    clock.increment(1);
    for (const running of [2, 3, 2, 4]) limited.set(running);
    expect(one.told).to.deep.equal([frame(1, 0)]);
    clock.increment(100);
    expect(one.told).to.deep.equal([frame(1, 0), frame(4, 0)]);
    limited.set(1);
    await Promise.resolve();
    expect(one.told.slice(2)).to.deep.equal([frame(1, 0)]);
    for (const running of [2, 1, 2, 1, 2]) limited.set(running);
    await Promise.resolve();
    expect(one.told).to.have.length(3);
    clock.increment(100);
    expect(one.told.slice(3)).to.deep.equal([frame(2, 0)]);
  });

  it('waits with a caller whose network does not take more', () => {
    const one = caller(0, true);
    one.congested = true;
    telling.called(one.link);
    clock.increment(1);
    expect(one.told).to.deep.equal([]);
    one.congested = false;
    limited.set(1);
    clock.increment(100);
    expect(one.told).to.deep.equal([frame(1, 0)]);
  });

  it('ends with the calls, with the link and with the function, and says so', () => {
    const [one, other, third] = [caller(0, true), caller(0, true), caller(0, true)];
    telling.called(one.link);
    clock.increment(60_000);
    telling.called(other.link);
    clock.increment(60_000);
    const over = '{"type":"load","tag":"work"}';
    expect(one.told.at(-1)).to.equal(over);
    expect(other.told).to.deep.equal([frame(0, 0)]);
    telling.called(third.link);
    telling.drop(third.link);
    expect(third.told).to.deep.equal([]);
    telling.end();
    expect(other.told.at(-1)).to.equal(over);
    expect(limited.watchers.size).to.equal(0);
    clock.increment(200_000);
    expect([one.told.length, other.told.length, third.told.length]).to.deep.equal([2, 2, 0]);
  });

  it('reaches the caller, and is dropped when the function is disconnected', async () => {
    const { b, toB } = await stage.pair({ network: new MemoryNetwork() });
    const other = stage.make({ network: b.actor.getSnapshot().context.network });
    await other.start();
    const [fromOther] = await meet(other, b.id);
    let end = (): void => {};
    const work = b.connect('work', () => new Promise<void>((resolve) => (end = resolve)), { concurrency: 1 });
    await eventually(() => toB.has('work') && fromOther!.has('work'));
    const calls = [toB.call('work'), fromOther!.call('work'), fromOther!.call('work')];
    await eventually(() => expect(toB.loadFor('work')).to.deep.equal({ calls: 3, limit: 1 }));
    let settled = 0;
    const ends = Promise.all(calls.map((call) => call.then(() => (settled += 1))));
    await eventually(() => {
      end();
      return settled === 3;
    });
    await ends;
    await eventually(() => expect(toB.loadFor('work')).to.deep.equal({ calls: 0, limit: 1 }));
    b.disconnect(work);
    await eventually(() => expect(toB.loadFor('work')).to.deep.equal({ calls: 0, limit: Infinity }));
  });
});
