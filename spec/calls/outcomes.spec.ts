import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'chai';

import type { NetErrorCode, Peer, Ran, RemotePeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';

/**
 * Every way a call can fail, at every moment of its life: with what code, whether the function is said to have run, and
 * that nothing is left over. The moments are made by what the call finds: a peer that has left, one with no room, one that
 * works on it, streams back, or is about to stop.
 */

interface Scene {
  network: MemoryNetwork;
  a: Peer;
  b: Peer;
  toB: RemotePeer;
  stop: AbortController;
}

type Moment =
  | 'before it is sent'
  | 'while it waits'
  | 'while it runs'
  | 'while it streams'
  | 'while the other side drains';
type Outcome =
  | 'the deadline passes'
  | 'it is taken back'
  | 'the connection is lost'
  | 'the other side stops'
  | 'this side stops';
type Expected = { code: NetErrorCode; ran: Ran } | 'the reason' | 'an answer';

const MOMENTS: Moment[] = [
  'before it is sent',
  'while it waits',
  'while it runs',
  'while it streams',
  'while the other side drains',
];

const TABLE: Record<Outcome, Record<Moment, Expected>> = {
  'the deadline passes': {
    'before it is sent': { code: 'DEADLINE_EXCEEDED', ran: 'no' },
    'while it waits': { code: 'DEADLINE_EXCEEDED', ran: 'no' },
    'while it runs': { code: 'DEADLINE_EXCEEDED', ran: 'unknown' },
    'while it streams': { code: 'DEADLINE_EXCEEDED', ran: 'yes' },
    'while the other side drains': { code: 'DEADLINE_EXCEEDED', ran: 'unknown' },
  },
  'it is taken back': {
    'before it is sent': 'the reason',
    'while it waits': 'the reason',
    'while it runs': 'the reason',
    'while it streams': 'the reason',
    'while the other side drains': 'the reason',
  },
  'the connection is lost': {
    'before it is sent': { code: 'NOT_SENT', ran: 'no' },
    'while it waits': { code: 'NOT_SENT', ran: 'no' },
    'while it runs': { code: 'CONNECTION_LOST', ran: 'unknown' },
    'while it streams': { code: 'CONNECTION_LOST', ran: 'yes' },
    'while the other side drains': { code: 'CONNECTION_LOST', ran: 'unknown' },
  },
  'the other side stops': {
    'before it is sent': { code: 'NOT_SENT', ran: 'no' },
    'while it waits': { code: 'NOT_SENT', ran: 'no' },
    'while it runs': 'an answer',
    'while it streams': 'an answer',
    'while the other side drains': 'an answer',
  },
  'this side stops': {
    'before it is sent': { code: 'STOPPED', ran: 'no' },
    'while it waits': 'an answer',
    'while it runs': 'an answer',
    'while it streams': 'an answer',
    'while the other side drains': 'an answer',
  },
};

describe('the outcome of a call', () => {
  const stage = new Stage();

  afterEach(() => stage.clear());

  for (const outcome of Object.keys(TABLE) as Outcome[]) {
    for (const moment of MOMENTS) {
      const expected = TABLE[outcome][moment];
      const what = typeof expected === 'string' ? expected : `${expected.code}, ran: ${expected.ran}`;
      it(`is ${what} when ${outcome} ${moment}`, async () => {
        const network = new MemoryNetwork();
        // Time enough to answer what runs, and not more.
        const { a, b, toB } = await stage.pair(
          { network, drainTime: 2_000 },
          { network, drainTime: 2_000, limits: { calls: 1 } },
        );
        const scene = { network, a, b, toB, stop: new AbortController() };
        const release = functionsOf(b);
        const leftOver = watchOver(a, b);
        const before = moment === 'before it is sent' ? await bring(outcome, scene) : undefined;
        if (outcome === 'this side stops') await before?.();
        let settled = 0;
        const began = performance.now();
        const call = begin(moment, outcome, scene).finally(() => (settled += 1));
        const caught = call.then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        );
        await reached(moment, scene);
        const after = before ?? (await bring(outcome, scene));
        if (expected === 'an answer') setTimeout(release, 20);
        const result = await caught;
        if (expected === 'an answer') expect(result).to.have.property('value');
        else if (expected === 'the reason') expect(result).to.deep.equal({ error: REASON });
        else expect((result as { error: unknown }).error).to.include(expected);
        expect(performance.now() - began).to.be.below(4_000);
        release();
        await after();
        await eventually(() => expect(leftOver()).to.deep.equal([]));
        expect(settled).to.equal(1);
      });
    }
  }
});

const REASON = { why: 'enough' };

/** Functions that go on until they are released. */
function functionsOf(b: Peer): () => void {
  let released = false;
  const waiting: (() => void)[] = [];
  const held = (): Promise<void> =>
    released ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
  b.connect('hold', held);
  b.connect('stream', async function* stream() {
    yield 1;
    await held();
    yield 2;
  });
  return () => {
    released = true;
    for (const each of waiting.splice(0)) each();
  };
}

async function begin(moment: Moment, outcome: Outcome, { toB, stop }: Scene): Promise<unknown> {
  const short = outcome === 'the deadline passes';
  const options = {
    deadline: short ? (moment === 'before it is sent' ? 0 : 150) : 20_000,
    signal: stop.signal,
  };
  if (moment === 'while it streams') {
    const values: unknown[] = [];
    for await (const value of toB.stream('stream', [], options)) values.push(value);
    return values;
  }
  if (moment === 'while it waits') void toB.call('hold').catch(() => {});
  return toB.call('hold', [], options);
}

/** Waits until the call is where it should be. */
async function reached(moment: Moment, { a, b }: Scene): Promise<void> {
  if (moment === 'before it is sent') return;
  await eventually(() => {
    expect(b.actor.system.get('dispatcher').getSnapshot().context.running).to.equal(1);
    if (moment === 'while it waits') {
      expect(a.actor.system.get('caller').getSnapshot().context.waiting).to.equal(1);
    }
  });
  if (moment === 'while it streams') await sleep(5);
  if (moment === 'while the other side drains') {
    void b.stop();
    await eventually(() => expect(a.peers.list()).to.deep.equal([]));
  }
}

/** Lets it happen. Resolves with what waits until it is over. */
async function bring(outcome: Outcome, { network, a, b, toB, stop }: Scene): Promise<() => Promise<unknown>> {
  if (outcome === 'it is taken back') stop.abort(REASON);
  if (outcome === 'the connection is lost') {
    network.cut(a.id, b.id);
    await eventually(() => expect(a.peers.get(toB.id)).to.equal(undefined));
  }
  if (outcome === 'the other side stops') {
    const stopped = b.stop();
    await eventually(() => expect(a.peers.get(toB.id)).to.equal(undefined));
    return () => stopped;
  }
  if (outcome === 'this side stops') {
    const stopped = a.stop();
    return () => stopped;
  }
  return () => Promise.resolve();
}

/** Tells everything that should be gone, and is not; of peers that have stopped, too. */
function watchOver(a: Peer, b: Peer): () => string[] {
  const actors = [a, b].map(({ name, actor: { system } }) => ({
    name,
    caller: system.get('caller'),
    dispatcher: system.get('dispatcher'),
    records: [a, b].map(({ id }) => system.get(`connection:${id}`)?.getSnapshot().context.record),
  }));
  return () =>
    actors.flatMap(({ name, caller, dispatcher, records }) => {
      const { pending, waiting } = caller.getSnapshot().context;
      const { running } = dispatcher.getSnapshot().context;
      const sizes: number[] = [pending, waiting, running];
      for (const record of records) {
        const { link, waiting: queue } = record ?? {};
        sizes.push(queue?.size ?? 0);
        if (!link) continue;
        const { made, taken } = link;
        sizes.push(made?.places ?? 0, made?.streams ?? 0);
        sizes.push(taken?.running.size ?? 0, taken?.openStreams ?? 0, taken?.held ? 1 : 0);
      }
      return sizes.some((size) => size > 0) ? [`${name}: ${sizes.join(' ')}`] : [];
    });
}
