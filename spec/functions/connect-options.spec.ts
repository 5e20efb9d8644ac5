import { expect } from 'chai';

import type { ConnectOptions } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { meet, Stage } from '../support/peers.ts';
import { connectThreads } from '../support/thread-functions.ts';

/** Every option of `connect`, with those that it needs. A new option that is missing here does not compile. */
const OPTIONS: Record<keyof ConnectOptions, ConnectOptions> = {
  replace: { replace: true },
  idempotent: { idempotent: true },
  concurrency: { concurrency: 1 },
  queue: { concurrency: 1, queue: 1 },
  threads: { threads: 1 },
  kill: { threads: 1, kill: 1_000 },
  resourceLimits: { threads: 1, resourceLimits: { maxOldGenerationSizeMb: 512 } },
};

const isForThreads = (name: string): boolean => name === 'kill' || name === 'resourceLimits';

type List = (...args: readonly unknown[]) => readonly unknown[];

const ARGUMENTS: Record<string, readonly unknown[]> = {
  none: [],
  plain: [1, 'two', { three: [3] }],
  rich: [1n, undefined, new Date(4), new Map([[5, new Set([6])]])],
  bytes: [new Uint8Array([7, 8]), [new Uint8Array([9])]],
};

for (const parity of [false, true]) {
  describe(`a function that is connected with one option, ${parity ? 'with' : 'without'} parity`, () => {
    const stage = new Stage();
    afterEach(() => stage.clear());

    for (const [name, options] of Object.entries(OPTIONS)) {
      it(`is given all its arguments, however it is called: ${name}`, async () => {
        const network = new MemoryNetwork();
        const { a, b, toB } = await stage.pair({ network }, { network, parity });
        const guest = stage.make({ network, pass: await b.pass({ may: ['t.list'] }) });
        await guest.start();
        await meet(guest, b.id);

        // A thread has only the functions of a file that it can load.
        const here = (...args: readonly unknown[]): readonly unknown[] => args;
        const list: List =
          'threads' in options ? connectThreads(b, options).list : b.connect('t.list', here, options);
        const far = a.remote<List>('t.list');
        const byGuest = guest.remote<List>('t.list').on(b.id);
        const anywhere = { group: '*' };
        const ways: Record<string, (...args: readonly unknown[]) => unknown> = {
          plainly: list,
          on: far.on(toB),
          any: far.any(anywhere),
          all: async (...args) => {
            for await (const each of far.all(anywhere)(...args))
              if (each.status === 'fulfilled') return each.value;
            return undefined;
          },
          map: async (...args) => {
            for await (const each of far.map([args], {
              select: anywhere,
              args: (input: readonly unknown[]) => [...input],
            }))
              if (each.status === 'fulfilled') return each.value;
            return undefined;
          },
          'by a guest': byGuest,
        };
        if ('thread' in list) ways['thread'] = (list as unknown as { thread(): List }).thread();
        expect('thread' in ways).to.equal('threads' in options);
        // The start of a thread takes a second here, and what these say is for the thread.
        const calls = Object.entries(ways).filter(([way]) => way === 'plainly' || !isForThreads(name));

        for (const hooked of [false, true]) {
          const unhook = hooked ? [a, b].map((peer) => peer.use((_, next) => next())) : [];
          for (const [way, call] of calls) {
            for (const [kind, args] of Object.entries(ARGUMENTS)) {
              // oxlint-disable-next-line no-await-in-loop -- one at a time, because of the limits
              expect(await call(...args), `${way}, ${kind}, hooked: ${hooked}`).to.deep.equal(args);
            }
          }
          for (const each of unhook) each();
        }
      });
    }
  });
}
