import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { DirectoryWatch } from '../../src/providers/host/directory-watch.ts';
import { exists, listAnnouncements } from '../../src/providers/host/listing.ts';
import { removeStale } from '../../src/providers/host/stale-files.ts';
import { eventually } from '../support/eventually.ts';

/** Fresh files in a row after which a peer looks for no more stale ones. */
const FRESH_IN_A_ROW = 32;

const HOUR = 3_600_000;

describe('what the peers of one process share of a runtime directory', () => {
  let folder: string;

  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is a watch, which stays while one of them needs it', async () => {
    const { ino } = await stat(folder);
    const [first, second] = [new Set<string>(), new Set<string>()];
    const watches = [first, second].map(
      (names) => new DirectoryWatch(folder, new SimulatedClock(), (name) => names.add(name)),
    );
    for (const watch of watches) watch.follow(`${ino}`);
    await writeFile(join(folder, 'one'), '');
    await eventually(() => expect([first.has('one'), second.has('one')]).to.deep.equal([true, true]));
    watches[0]!.close();
    await writeFile(join(folder, 'two'), '');
    await eventually(() => expect(second).to.include('two'));
    expect(first).not.to.include('two');
    expect(watches.map(({ isWatching }) => isWatching)).to.deep.equal([false, true]);
    watches[1]!.close();
    expect(watches[1]!.isWatching).to.equal(false);
  });

  it('is a listing, unless it had begun before one of them asked', async () => {
    const first = listAnnouncements(folder);
    // While the first one is under way, on any machine.
    writeFileSync(join(folder, 'late.peer.json'), '');
    const [second, third] = [listAnnouncements(folder), listAnnouncements(folder)];
    await first;
    expect((await second).peers).to.deep.equal(new Set(['late.peer.json']));
    expect(await third).to.equal(await second);
  });

  it('is a listing that fails for all that asked for it, and not for those that ask later', async () => {
    const missing = join(folder, 'missing');
    const failed = await Promise.allSettled([1, 2, 3].map(() => listAnnouncements(missing)));
    expect(failed.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected', 'rejected']);
    expect((await listAnnouncements(folder)).peers).to.be.empty;
  });
});

describe('stale files in a runtime directory', () => {
  let folder: string;

  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function put(names: readonly string[]): Promise<void> {
    const addresses = [{ host: '127.0.0.1', port: 4000 }];
    for (const name of names) {
      const id = name.split('.')[0]!;
      await writeFile(join(folder, name), JSON.stringify({ id, incarnation: `${id}-1`, addresses, pid: 1 }));
    }
  }

  const named = (what: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${what}-${index}.peer.json`);

  it('are looked for behind the own file, and round the end of the list', async () => {
    const [before, after] = [named('before', 3), named('after', 5)];
    await put([...before, ...after]);
    await removeStale(folder, [...before, 'own.peer.json', ...after], 'own.peer.json', Date.now() + HOUR);
    expect((await listAnnouncements(folder)).peers).to.be.empty;
  });

  it('are left to other peers behind many fresh ones', async () => {
    const fresh = named('fresh', FRESH_IN_A_ROW);
    await put([...fresh, 'stale.peer.json']);
    const now = Date.now();
    await utimes(join(folder, 'stale.peer.json'), (now - HOUR) / 1_000, (now - HOUR) / 1_000);
    await removeStale(folder, ['own.peer.json', ...fresh, 'stale.peer.json'], 'own.peer.json', now);
    expect(await exists(join(folder, 'stale.peer.json'))).to.equal(true);
    await removeStale(folder, ['own.peer.json', ...fresh.slice(1), 'stale.peer.json'], 'own.peer.json', now);
    expect(await exists(join(folder, 'stale.peer.json'))).to.equal(false);
  });
});
