import { expect } from 'chai';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually } from '../../support/eventually.ts';
import { Driver, failureOf } from '../driver.ts';
import type { Program } from '../driver.ts';
import { counterpart } from '../programs.ts';
import { newKey } from '../scenario.ts';

/** Scenarios that need peers of their own: some leave, some are killed, some are strangers. */

interface Stage {
  name: string;
  /** Starts one more peer of the implementation under test. */
  program: Omit<Program, 'name'>;
  /** The two that the other scenarios use. */
  subject: Driver;
  node: Driver;
  folder: string;
}

interface PresenceScenario {
  title: string;
  needs: string[];
  run(stage: Stage): Promise<void>;
}

/** Runs with one more driver, and ends it. */
async function withDriver<T>(
  program: Program,
  start: object,
  run: (driver: Driver) => Promise<T>,
): Promise<T> {
  const driver = new Driver(program);
  try {
    driver.id = await driver.do<string>('start', { name: program.name, ...start });
    return await run(driver);
  } finally {
    await driver.kill();
  }
}

async function addressOf(folder: string, id: string): Promise<string> {
  const text = await readFile(join(folder, `${id}.peer.json`), 'utf8');
  const [address] = (JSON.parse(text) as { addresses: { host: string; port: number }[] }).addresses;
  return `${address!.host}:${address!.port}`;
}

export const presence: PresenceScenario[] = [
  {
    title: 'a peer that is killed leaves as lost, and its unanswered call may have run',
    needs: ['directory', 'call', 'presence'],
    run: async ({ subject, folder }) => {
      await withDriver({ ...counterpart(), name: 'victim' }, { directory: folder }, async (victim) => {
        await victim.do('serve');
        await subject.notice({ notice: 'joined', peer: victim.id });
        const call = failureOf(subject.do('call', { peer: victim.id, tag: 'std.hang' }));
        await subject.do('call', { peer: victim.id, tag: 'std.echo', args: [1] });
        const from = performance.now();
        await victim.kill();
        await subject.notice({ notice: 'left', peer: victim.id, why: 'lost' });
        console.log(`      (seen after ${(performance.now() - from).toFixed(0)} ms)`);
        expect(await call).to.deep.equal({ failure: { code: 'CONNECTION_LOST', ran: 'unknown' } });
      });
    },
  },
  {
    title: 'a peer that stops leaves as stopped, and answers what it has begun',
    needs: ['directory', 'call', 'presence'],
    run: async ({ subject, folder }) => {
      await withDriver({ ...counterpart(), name: 'leaver' }, { directory: folder }, async (leaver) => {
        await leaver.do('serve');
        await subject.notice({ notice: 'joined', peer: leaver.id });
        const slow = subject.do('call', { peer: leaver.id, tag: 'std.slow', args: [200, 'done'] });
        await subject.do('call', { peer: leaver.id, tag: 'std.echo', args: [1] });
        await leaver.do('stop');
        await subject.notice({ notice: 'left', peer: leaver.id, why: 'stopped' });
        expect(await slow).to.equal('done');
        const { failure } = await failureOf(
          subject.do('call', { peer: leaver.id, tag: 'std.echo', args: [1] }),
        );
        expect(failure).to.deep.equal({ code: 'NOT_SENT', ran: 'no' });
      });
    },
  },
  {
    title: 'it says goodbye, answers what it has begun, and takes no more',
    needs: ['directory', 'serve'],
    run: async ({ name, program, node, folder }) => {
      await withDriver({ ...program, name }, { directory: folder }, async (leaver) => {
        await leaver.do('serve');
        await node.notice({ notice: 'joined', peer: leaver.id });
        const slow = node.do('call', { peer: leaver.id, tag: 'std.slow', args: [200, 'done'] });
        await node.do('call', { peer: leaver.id, tag: 'std.echo', args: [1] });
        await leaver.do('stop');
        expect(await slow).to.equal('done');
        await node.notice({ notice: 'left', peer: leaver.id, why: 'stopped' });
        expect(await leaver.exited()).to.equal(0);
      });
    },
  },
  {
    title: 'it is told by its peers that it was killed',
    needs: ['directory', 'serve'],
    run: async ({ name, program, node, folder }) => {
      await withDriver({ ...program, name }, { directory: folder }, async (victim) => {
        await node.notice({ notice: 'joined', peer: victim.id });
        await victim.kill();
        await node.notice({ notice: 'left', peer: victim.id, why: 'lost' });
      });
    },
  },
  {
    title: 'an address and a secret are enough, and another secret is not',
    needs: ['address'],
    run: async ({ name, program }) => {
      const [away, own] = [await folderOf(), await folderOf()];
      const secret = `net1_${'A'.repeat(42)}8`;
      try {
        await withDriver(counterpart(), { directory: away, secret }, async (node) => {
          await node.do('serve');
          const address = await addressOf(away, node.id);
          await withDriver({ ...program, name }, { directory: own, secret, address }, async (friend) => {
            await friend.notice({ notice: 'joined', peer: node.id });
            expect(await friend.do('call', { peer: node.id, tag: 'std.echo', args: ['in'] })).to.equal('in');
          });
          const other = `net1_${'B'.repeat(42)}8`;
          await withDriver(
            { ...program, name: 'stranger' },
            { directory: own, secret: other, address },
            async (stranger) => {
              // A friend that comes after it is seen: so is it, if it ever is.
              await withDriver({ ...program, name }, { directory: own, secret, address }, async (friend) => {
                await friend.notice({ notice: 'joined', peer: node.id });
              });
              expect(stranger.notices).to.deep.equal([]);
              expect(node.notices.map(({ name: who }) => who)).not.to.include('stranger');
            },
          );
        });
      } finally {
        for (const folder of [away, own]) await rm(folder, { recursive: true, force: true });
      }
    },
  },
  {
    title: 'a subscriber is told that the emitter was started again',
    needs: ['directory', 'events.hear', 'events.gap'],
    run: async ({ subject, folder }) => hearRestart(subject, { ...counterpart(), name: 'emitter' }, folder),
  },
  {
    title: 'its subscribers are told that it was started again',
    needs: ['directory', 'events.emit'],
    run: async ({ name, program, node, folder }) => hearRestart(node, { ...program, name }, folder),
  },
  {
    title: 'peers of its own kind find and call each other',
    needs: ['directory', 'serve', 'call', 'listen'],
    run: async ({ name, program, subject, folder }) => {
      await withDriver({ ...program, name }, { directory: folder }, async (twin) => {
        await twin.do('serve');
        await subject.notice({ notice: 'joined', peer: twin.id });
        await twin.notice({ notice: 'joined', peer: subject.id });
        expect(await twin.do('call', { peer: subject.id, tag: 'std.echo', args: [1] })).to.equal(1);
        expect(await subject.do('call', { peer: twin.id, tag: 'std.echo', args: [2] })).to.equal(2);
      });
    },
  },
];

/** The second life of an id emits, too. Nobody can know how many events the first one emitted at the end. */
async function hearRestart(subscriber: Driver, program: Program, directory: string): Promise<void> {
  const [own, event] = [newKey(), newKey()];
  await subscriber.do('subscribe', { event });
  for (const value of ['first life', 'second life']) {
    await withDriver(program, { directory, own }, async (emitter) => {
      await eventually(async () => (await emitter.do<number>('subscribers', { event })) === 1);
      await emitter.do('emit', { event, value });
      await subscriber.notice({ notice: 'event', event, value });
    });
  }
  const gaps = subscriber.notices.filter((each) => each.notice === 'gap' && each.event === event);
  expect(gaps).to.deep.equal([{ notice: 'gap', event, why: 'restarted', missed: null }]);
  await subscriber.do('unsubscribe', { event });
}

async function folderOf(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'app-net-conformance-'));
}
