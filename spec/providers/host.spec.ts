import { renameSync, writeFileSync } from 'node:fs';
import {
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { HostProvider } from '../../src/providers/host/host.ts';
import { exists } from '../../src/providers/host/listing.ts';
import { ownPlace } from '../../src/providers/host/place.ts';
import type { Announcement, ProviderListener } from '../../src/providers/provider.ts';
import type { Hint } from '../../src/providers/hint.ts';
import { eventually } from '../support/eventually.ts';

/** Between two looks at the whole directory, in ms. */
const RESCAN = 2_000;

const hint = (id: string, port = 4000, incarnation = `${id}-1`): Hint => ({
  id,
  incarnation,
  addresses: [{ host: '127.0.0.1', port }],
  pid: process.pid,
});

const written = (id: string, world = 'ours') => ({ ...hint(id), world, from: ownPlace() });
const announcement = (id: string): Announcement => ({ ...hint(id), world: () => 'ours' });

class Heard implements ProviderListener {
  readonly all: (string | Hint)[] = [];
  found(each: Hint): void {
    this.all.push(each);
  }
  named(id: string): void {
    this.all.push(`named ${id}`);
  }
  lost(id: string, incarnation: string): void {
    this.all.push(`lost ${id} ${incarnation}`);
  }
  scanned(): void {
    this.all.push('scanned');
  }
  degraded(): void {}
}

describe('the provider of this host', () => {
  let folder: string;
  let clock: SimulatedClock;
  const started: HostProvider[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
    clock = new SimulatedClock();
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((each) => each.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  const path = (id: string): string => join(folder, `${id}.peer.json`);
  const isThere = (id: string): Promise<boolean> => exists(path(id));

  function make(): HostProvider {
    const provider = new HostProvider({ directory: folder, clock, reaches: () => true });
    started.push(provider);
    return provider;
  }

  async function start(id: string): Promise<{ provider: HostProvider; heard: Heard }> {
    const [provider, heard] = [make(), new Heard()];
    await provider.start(announcement(id), heard);
    return { provider, heard };
  }

  /** As a real peer does it, and with the age it should have, in ms. */
  async function put(each: Hint, age = 0): Promise<void> {
    await writeFile(join(folder, '.draft'), JSON.stringify({ from: ownPlace(), ...each }));
    const time = (Date.now() - age) / 1000;
    await utimes(join(folder, '.draft'), time, time);
    await rename(join(folder, '.draft'), path(each.id));
  }

  /** Lets the provider that announced `id` look at everything once more. It ends by announcing what is missing. */
  async function rescan(id: string): Promise<void> {
    await unlink(path(id));
    clock.increment(RESCAN);
    await eventually(() => isThere(id));
  }

  it('writes one small file that only its owner can read, and no other', async () => {
    await start('a');
    expect(await readdir(folder)).to.deep.equal(['a.peer.json']);
    expect(JSON.parse(await readFile(path('a'), 'utf8'))).to.deep.equal(written('a'));
    expect((await stat(path('a'))).mode & 0o777).to.equal(0o600);
  });

  it('reports the present peers before it reports the end of its search, and never itself', async () => {
    await start('a');
    const { heard } = await start('b');
    expect(heard.all).to.deep.equal([hint('a'), 'scanned']);
  });

  it('reports peers that come and go', async () => {
    const { heard } = await start('a');
    const { provider } = await start('b');
    await eventually(() => expect(heard.all).to.deep.equal(['scanned', hint('b')]));
    await provider.stop();
    await eventually(() => expect(heard.all).to.deep.equal(['scanned', hint('b'), 'lost b b-1']));
    expect(await isThere('b')).to.equal(false);
  });

  it('removes its announcement synchronously at the end of a process', async () => {
    const { provider, heard } = await start('a');
    provider.stopNow();
    expect(await readdir(folder)).to.deep.equal([]);
    await start('b');
    expect(heard.all, 'it no longer looks').to.deep.equal(['scanned']);
    provider.stopNow();
  });

  it('lets two peers that start at once find each other', async () => {
    const [a, b] = await Promise.all([start('a'), start('b')]);
    await eventually(() => {
      expect(a.heard.all).to.deep.include(hint('b'));
      expect(b.heard.all).to.deep.include(hint('a'));
    });
  });

  it('reports each life once, however often it looks', async () => {
    const { heard } = await start('a');
    await put(hint('b'));
    await eventually(() => expect(heard.all).to.have.length(2));
    await put(hint('b'));
    await rescan('a');
    await rescan('a');
    await put(hint('b', 4001, 'b-2'));
    await eventually(() => expect(heard.all).to.deep.equal(['scanned', hint('b'), hint('b', 4001, 'b-2')]));
  });

  it('announces itself again when its file was removed', async () => {
    const { provider } = await start('a');
    await unlink(path('a'));
    clock.increment(RESCAN - 1);
    expect(await isThere('a')).to.equal(false);
    clock.increment(1);
    await eventually(() => isThere('a'));
    await rescan('a');
    await provider.stop();
    clock.increment(10 * RESCAN);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('ignores files that are not announcements', async () => {
    const good = hint('good');
    const bad: Record<string, string> = {
      empty: '',
      half: JSON.stringify(hint('half')).slice(0, -9),
      large: JSON.stringify({ ...hint('large'), more: 'x'.repeat(4_096) }),
      array: '[]',
      null: 'null',
      other: JSON.stringify(hint('another')),
      nowhere: JSON.stringify({ ...hint('nowhere'), addresses: undefined }),
      homeless: JSON.stringify({ ...hint('homeless'), addresses: [] }),
      scattered: JSON.stringify({ ...hint('scattered'), addresses: Array(17).fill(hint('x').addresses[0]) }),
      worldly: JSON.stringify({ ...hint('worldly'), world: 5 }),
      lifeless: JSON.stringify({ ...hint('lifeless'), incarnation: '' }),
      elsewhere: JSON.stringify({ ...hint('elsewhere'), beyond: [{ host: 'far' }] }),
      hostless: JSON.stringify({ ...hint('hostless'), addresses: [{ port: 1 }] }),
      text: JSON.stringify({ ...hint('text'), addresses: [{ host: '127.0.0.1', port: '80' }] }),
      zero: JSON.stringify(hint('zero', 0)),
      high: JSON.stringify(hint('high', 65_536)),
      part: JSON.stringify(hint('part', 1.5)),
      pidless: JSON.stringify({ ...hint('pidless'), pid: 'x' }),
      'a b': JSON.stringify(hint('a b')),
      __proto__x: '{"__proto__":{"id":"__proto__x"}}',
      binary: '\u0000\ufffd',
    };
    await mkdir(path('folder'));
    await writeFile(join(folder, 'good.json'), JSON.stringify(hint('good2')));
    await writeFile(join(folder, '.peer.json'), JSON.stringify(hint('')));
    await put(good);
    const { heard } = await start('a');
    // A few at a time: of many files only the names count.
    for (const all = Object.entries(bad); all.length > 0;) {
      const some = all.splice(0, 8);
      for (const [id, text] of some) await writeFile(path(id), text);
      await rescan('a');
      for (const [id] of some) await rm(path(id));
    }
    expect(heard.all).to.deep.equal([good, 'scanned']);
  });

  it('announces only loopback when it has that, and otherwise all addresses', async () => {
    const [near, far] = [
      { host: '127.0.0.1', port: 1 },
      { host: '192.168.1.5', port: 1 },
    ];
    const { heard } = await start('a');
    await make().start({ ...announcement('both'), addresses: [far, near] }, new Heard());
    await make().start({ ...announcement('far'), addresses: [far] }, new Heard());
    await eventually(() => {
      expect(heard.all).to.deep.include({ ...hint('both'), addresses: [near], beyond: [far] });
      expect(heard.all).to.deep.include({ ...hint('far'), addresses: [far] });
    });
  });

  it('ignores peers with another secret, but not clients that do not say', async () => {
    await writeFile(path('other'), JSON.stringify(written('other', 'theirs')));
    await put(hint('client'));
    const { heard } = await start('a');
    expect(heard.all).to.deep.equal([hint('client'), 'scanned']);
    await put(written('client', 'theirs'));
    await eventually(() => expect(heard.all.at(-1)).to.equal('lost client client-1'));
  });

  it('reports a file once it is complete', async () => {
    const { heard } = await start('a');
    const text = JSON.stringify(hint('b'));
    await writeFile(path('b'), text.slice(0, 20));
    await rescan('a');
    expect(heard.all).to.deep.equal(['scanned']);
    await writeFile(path('b'), text);
    await eventually(() => expect(heard.all).to.deep.equal(['scanned', hint('b')]));
  });

  it('drops a peer whose file is overwritten with nonsense', async () => {
    const { heard } = await start('a');
    await put(hint('b'));
    await eventually(() => expect(heard.all).to.have.length(2));
    await writeFile(path('b'), 'nonsense');
    await eventually(() => expect(heard.all).to.deep.equal(['scanned', hint('b'), 'lost b b-1']));
  });

  it('announces itself again when the whole directory was removed, and finds peers that come there', async () => {
    const { heard } = await start('a');
    await rm(folder, { recursive: true });
    await mkdir(folder, { mode: 0o700 });
    clock.increment(RESCAN);
    await eventually(() => isThere('a'));
    await put(hint('b'));
    clock.increment(RESCAN);
    await eventually(() => expect(heard.all).to.deep.include(hint('b')));
  });

  it('misses no peer that comes while it looks', async () => {
    for (let index = 0; index < 50; index += 1) await put(hint(`old-${index}`));
    const isKnown = (heard: Heard, id: string): boolean =>
      heard.all.some((each) => each === `named ${id}` || (typeof each !== 'string' && each.id === id));
    const { heard } = await start('a');
    for (let round = 0; round < 30; round += 1) {
      await unlink(path('a'));
      clock.increment(RESCAN);
      // The process is busy just as the directory is listed, so that the list is old when it arrives.
      const busyUntil = performance.now() + 3;
      while (performance.now() < busyUntil);
      writeFileSync(join(folder, '.draft'), JSON.stringify(hint(`new-${round}`)));
      renameSync(join(folder, '.draft'), path(`new-${round}`));
      await eventually(() => isThere('a'));
      await eventually(() => isKnown(heard, `new-${round}`));
    }
    expect(heard.all.filter((each) => typeof each === 'string' && each.startsWith('lost'))).to.be.empty;
  });

  describe('for a peer that died without a goodbye', () => {
    it('removes the file after a refused dial, if it is older than 2 s', async () => {
      await put(hint('dead'), 2_500);
      const { provider, heard } = await start('a');
      provider.failed(hint('dead'), true);
      await eventually(async () => !(await isThere('dead')));
      await eventually(() => expect(heard.all).to.deep.equal([hint('dead'), 'scanned', 'lost dead dead-1']));
    });

    it('keeps the file while it is younger, since that peer may be starting', async () => {
      await put(hint('young'), 1_000);
      await put(hint('dead'), 2_500);
      const { provider } = await start('a');
      provider.failed(hint('young'), true);
      provider.failed(hint('dead'), true);
      await eventually(async () => !(await isThere('dead')));
      expect(await isThere('young')).to.equal(true);
    });

    it('keeps the file if no dial was refused', async () => {
      await put(hint('old'), 3_600_000);
      await start('a');
      await rescan('a');
      expect(await isThere('old')).to.equal(true);
    });

    it('keeps the file of its next life, and does not mind a missing file', async () => {
      await put(hint('b', 4000, 'b-2'), 2_500);
      await put(hint('dead'), 2_500);
      const { provider } = await start('a');
      provider.failed(hint('b', 4000, 'b-1'), true);
      provider.failed(hint('nobody'), true);
      provider.failed(hint('dead'), true);
      await eventually(async () => !(await isThere('dead')));
      expect(await isThere('b')).to.equal(true);
    });
  });

  describe('when it stops', () => {
    it('leaves no announcement and reports nothing more, even while it starts', async () => {
      for (let round = 0; round < 20; round += 1) {
        const [provider, heard] = [make(), new Heard()];
        const starting = provider.start(announcement('a'), heard).catch(() => {});
        await provider.stop();
        const before = [...heard.all];
        await starting;
        expect(await readdir(folder)).to.deep.equal([]);
        expect(heard.all).to.deep.equal(before);
      }
    });

    it('keeps the announcement of its own next life', async () => {
      const { provider } = await start('a');
      await put(hint('a', 4001, 'a-2'));
      await provider.stop();
      expect(await isThere('a')).to.equal(true);
    });

    it('keeps the announcement of its own next life at the end of the process too', async () => {
      const { provider } = await start('a');
      await put(hint('a', 4001, 'a-2'));
      provider.stopNow();
      expect(await isThere('a')).to.equal(true);
    });

    it('may be stopped again, and before it was started', async () => {
      const { provider } = await start('a');
      await provider.stop();
      await provider.stop();
      await make().stop();
      make().stopNow();
    });
  });
});
