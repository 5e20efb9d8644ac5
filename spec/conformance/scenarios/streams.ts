import { expect } from 'chai';

import { eventually } from '../../support/eventually.ts';
import { failureOf } from '../driver.ts';
import type { Pair, Scenario } from '../scenario.ts';
import { call, newKey } from '../scenario.ts';

interface Read {
  values: unknown[];
  ended: boolean;
  returned?: unknown;
}

/** Values that may be on their way to a reader that takes none. */
const AHEAD = 32;

async function open({ caller, callee }: Pair, args: unknown[], options: object = {}): Promise<string> {
  const key = newKey();
  await caller.do('open', { peer: callee.id, tag: 'std.count', args, key, ...options });
  return key;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export const streams: Scenario[] = [
  {
    title: 'a stream arrives in order, and then its end',
    caller: ['streams.read'],
    callee: ['streams.serve'],
    run: async (pair) => {
      const key = await open(pair, [1_000]);
      const read = await pair.caller.do<Read>('read', { key, count: 2_000 });
      expect(read.values).to.deep.equal(upTo(1_000));
      expect(read.ended).to.equal(true);
      if (pair.callee.capabilities.has('streams.return')) expect(read.returned).to.equal('end');
    },
  },
  {
    title: 'an empty stream ends',
    caller: ['streams.read'],
    callee: ['streams.serve'],
    run: async (pair) => {
      const read = await pair.caller.do<Read>('read', { key: await open(pair, [0]), count: 1 });
      expect(read).to.deep.include({ values: [], ended: true });
    },
  },
  {
    title: 'an error of a stream comes after the values before it',
    caller: ['streams.read'],
    callee: ['streams.serve'],
    run: async (pair) => {
      const key = await open(pair, [100, 'torn']);
      const read = await pair.caller.do<Read>('read', { key, count: 100 });
      expect(read).to.deep.equal({ values: upTo(100), ended: false });
      const { error } = await failureOf(pair.caller.do('read', { key, count: 1 }));
      expect(error?.message).to.equal('torn');
    },
  },
  {
    title: 'a reader that waits makes the source wait, and one that leaves ends it',
    caller: ['streams.read'],
    callee: ['streams.serve'],
    run: async (pair) => {
      const from = pair.callee.notices.length;
      const key = await open(pair, [null]);
      // Drivers of generators begin with the first read.
      const { values } = await pair.caller.do<Read>('read', { key, count: 1 });
      expect(values).to.deep.equal([0]);
      const produced = (): Promise<number> => call<number>(pair, 'std.produced');
      await settles(produced);
      expect(await produced()).to.be.within(AHEAD, AHEAD * 4);
      await pair.caller.do('read', { key, count: 500 });
      await eventually(async () => (await produced()) >= 500);
      await pair.caller.do('leave', { key });
      await pair.callee.notice({ notice: 'ended', tag: 'std.count' }, from);
    },
  },
  {
    title: 'an argument can be a stream',
    caller: ['arguments.send'],
    callee: ['arguments.serve'],
    run: async (pair) => {
      expect(await call(pair, 'std.sum', [{ $: 'stream', count: 1_000 }])).to.equal(499_500);
    },
  },
  {
    title: 'an error of an argument that is a stream fails the call',
    caller: ['arguments.send'],
    callee: ['arguments.serve'],
    run: async (pair) => {
      const { error } = await failureOf(call(pair, 'std.sum', [{ $: 'stream', count: 10, fails: 'torn' }]));
      expect(error?.message).to.equal('torn');
    },
  },
  {
    title: 'an argument that is no longer read ends, and the call goes on',
    caller: ['arguments.send'],
    callee: ['arguments.serve'],
    run: async (pair) => {
      expect(await call(pair, 'std.first', [{ $: 'stream', count: null }])).to.equal(0);
      const sent = await pair.caller.do<number>('sent');
      await settles(() => pair.caller.do<number>('sent'));
      expect(await pair.caller.do<number>('sent')).to.be.below(sent + AHEAD * 4);
    },
  },
  {
    title: 'a function that does not read its argument makes the caller wait',
    caller: ['arguments.send'],
    callee: ['arguments.serve'],
    run: async (pair) => {
      const held = call(pair, 'std.hold', [{ $: 'stream', count: null }]);
      await eventually(async () => (await pair.caller.do<number>('sent')) >= AHEAD);
      await settles(() => pair.caller.do<number>('sent'));
      expect(await pair.caller.do<number>('sent')).to.be.within(AHEAD, AHEAD + 1);
      await call(pair, 'std.release');
      expect(await held).to.equal(100);
    },
  },
];

/** Until it says the same ten times in a row. */
async function settles(count: () => Promise<number>): Promise<void> {
  let last = -1;
  let same = 0;
  await eventually(async () => {
    const now = await count();
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= 10;
  });
}
