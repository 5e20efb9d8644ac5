import { access, mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { HostProvider } from '../../src/providers/host/host.ts';
import { ownPlace } from '../../src/providers/host/place.ts';
import type { Hint } from '../../src/providers/hint.ts';
import { eventually } from '../support/eventually.ts';

/** Between two looks at the whole directory, in ms. */
const RESCAN = 10_000;

/** Announcements of which all are read, at most. */
const FEW = 16;

/** The id of a process that has just ended. */
const DEAD_PID = spawnSync(process.execPath, ['--version']).pid;

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `peer-${index}`);

describe('a crowded runtime directory', () => {
  let folder: string;
  let clock: SimulatedClock;
  let provider: HostProvider;
  let found: Map<string, Hint>;
  let names: Set<string>;
  let lost: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
    clock = new SimulatedClock();
    provider = new HostProvider({ directory: folder, clock });
    [found, names, lost] = [new Map(), new Set(), []];
  });
  afterEach(async () => {
    await provider.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const addresses = [{ host: '127.0.0.1', port: 4000 }];
  const path = (id: string): string => join(folder, `${id}.peer.json`);

  async function start(): Promise<void> {
    const self = { id: 'self', incarnation: 's', addresses, pid: process.pid, world: () => 'ours' };
    await provider.start(self, {
      found: (hint) => found.set(hint.id, hint),
      named: (id) => names.add(id),
      lost: (id, incarnation) => lost.push(`${id} ${incarnation}`),
      scanned: () => {},
      degraded: () => {},
    });
  }

  async function put(id: string, fields: object = {}): Promise<void> {
    const all = { id, incarnation: `${id}-1`, addresses, pid: process.pid, from: ownPlace(), ...fields };
    await writeFile(join(folder, '.draft'), JSON.stringify(all));
    await rename(join(folder, '.draft'), path(id));
  }

  async function crowd(count = FEW + 8, fields: object = {}): Promise<void> {
    for (const id of ids(count)) await put(id, fields);
  }

  it('is told by the names of its files, each of which is read when it is wanted', async () => {
    await crowd();
    await start();
    expect([...names]).to.have.members(ids(FEW + 8));
    expect(found).to.be.empty;
    provider.wanted('peer-3');
    provider.wanted('peer-3');
    await eventually(() => expect(found.get('peer-3')?.addresses).to.deep.equal(addresses));
    provider.wanted('peer-3');
    provider.wanted('nobody');
    clock.increment(RESCAN);
    provider.wanted('peer-4');
    await eventually(() => expect([...found.keys()]).to.deep.equal(['peer-3', 'peer-4']));
    expect(lost).to.be.empty;
  });

  it('is read whole while it is small', async () => {
    await crowd(FEW - 1);
    await start();
    expect([...found.keys()]).to.have.members(ids(FEW - 1));
    expect(names).to.be.empty;
  });

  it('is read whole once it is small again', async () => {
    await crowd();
    await start();
    for (const id of ids(FEW + 8).slice(10)) await unlink(path(id));
    clock.increment(RESCAN);
    await eventually(() => expect([...found.keys()]).to.have.members(ids(10)));
  });

  it('has most of those named that come one after the other', async () => {
    await start();
    await crowd(FEW * 2);
    await eventually(() => expect(found.size + names.size).to.be.at.least(FEW * 2));
    expect(found.size).to.be.at.most(FEW + 3);
    await put('late');
    await eventually(() => expect(names).to.include('late'));
    expect(found).not.to.have.key('late');
  });

  it('has a name lost whose file goes, and nothing said of one that is written again', async () => {
    await crowd();
    await start();
    await put('peer-1', { incarnation: 'next' });
    await unlink(path('peer-2'));
    await eventually(() => expect(lost).to.deep.equal(['peer-2 ']));
    provider.wanted('peer-1');
    await eventually(() => expect(found.get('peer-1')?.incarnation).to.equal('next'));
    await unlink(path('peer-1'));
    await eventually(() => expect(lost).to.deep.equal(['peer-2 ', 'peer-1 next']));
  });

  for (const [what, fields] of [
    ['of a process that has ended', { pid: DEAD_PID }],
    ['of another world', { world: 'theirs' }],
    ['that is none', { addresses: 'nonsense' }],
    ['with the id of another peer', { id: 'another' }],
    ['of a peer that cannot be reached', { addresses: [{ host: '192.168.1.5', port: 4000 }] }],
  ] as const) {
    it(`has a wanted name lost whose file is an announcement ${what}`, async () => {
      await crowd();
      await put('wrong', fields);
      await start();
      expect(names).to.include('wrong');
      provider.wanted('wrong');
      await eventually(() => expect(lost).to.deep.equal(['wrong ']));
      expect(found).not.to.have.key('wrong');
    });
  }

  it('does not name a file that cannot be of a peer', async () => {
    await crowd();
    await writeFile(path('10.0.0.1:4000'), '{}');
    await start();
    expect(names).not.to.include('10.0.0.1:4000');
  });

  it('is read whole when most of it is left over from peers that died', async () => {
    await crowd(300, { pid: DEAD_PID });
    await put('alive');
    await start();
    provider.wanted('peer-0');
    await eventually(() => expect(lost).to.have.length(300));
    expect([...found.keys()]).to.deep.equal(['alive']);
  });

  it('has a file removed whose peer nobody could dial at what others told', async () => {
    await crowd();
    await put('dead', { pid: DEAD_PID });
    await start();
    provider.failed({ id: 'dead', incarnation: 'dead-1', addresses }, true);
    await eventually(() => expect(lost).to.deep.equal(['dead ']));
    await access(path('dead')).then(
      () => expect.fail('the file is still there'),
      () => {},
    );
  });
});
