import { spawnSync } from 'node:child_process';
import { access, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { HostProvider } from '../../src/providers/host/host.ts';
import { ownPlace } from '../../src/providers/host/place.ts';
import type { Place } from '../../src/providers/host/place.ts';
import type { Hint } from '../../src/providers/hint.ts';
import type { Address } from '../../src/transport/address.ts';
import { eventually } from '../support/eventually.ts';

const MINUTE = 60_000;
const HERE = ownPlace()!;
const OTHER_NETWORK: Place = { ...HERE, network: 'net:[1]' };
const OTHER_PROCESSES: Place = { ...HERE, processes: 'pid:[1]' };
const OTHER_HOST: Place = { ...HERE, host: 'another' };

const NEAR: Address = { host: '127.0.0.1', port: 4000 };
const FAR: Address = { host: '192.168.1.5', port: 4000 };

/** The id of a process that has just ended. */
const DEAD_PID = spawnSync(process.execPath, ['--version']).pid;

describe('an announcement in a shared directory', () => {
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
  const isThere = (id: string): Promise<boolean> =>
    access(path(id)).then(
      () => true,
      () => false,
    );

  /** @param age in ms */
  async function put(id: string, fields: object, age = 10_000): Promise<void> {
    const whole = { id, incarnation: `${id}-1`, addresses: [NEAR], pid: process.pid, ...fields };
    await writeFile(path(id), JSON.stringify(whole));
    const time = (Date.now() - age) / 1_000;
    await utimes(path(id), time, time);
  }

  interface Ears {
    provider: HostProvider;
    found: Hint[];
    lost: string[];
  }

  async function start(reaches: (address: Address) => boolean = () => true): Promise<Ears> {
    const provider = new HostProvider({ directory: folder, clock, reaches });
    started.push(provider);
    const ears: Ears = { provider, found: [], lost: [] };
    const self = {
      id: 'self',
      incarnation: 'self-1',
      addresses: [NEAR],
      pid: process.pid,
      world: () => 'ours',
    };
    await provider.start(self, {
      found: (hint) => ears.found.push(hint),
      lost: (id) => ears.lost.push(id),
      scanned: () => {},
      degraded: () => {},
    });
    return ears;
  }

  /** A whole look at the directory, at the end of which a missing own file is there again. */
  async function look(): Promise<void> {
    await rm(path('self'));
    // The pause between two listings of a crowded directory.
    clock.increment(10_000);
    await eventually(() => isThere('self'));
  }

  it('tells its host and its namespaces', async () => {
    await start();
    const { from } = JSON.parse(await readFile(path('self'), 'utf8')) as { from: Place };
    expect(from).to.deep.equal(HERE);
    if (process.platform !== 'linux') return;
    expect(from.host).to.match(/^[0-9a-f-]{36}$/);
    expect(from.processes).to.match(/^pid:\[\d+\]$/);
    expect(from.network).to.match(/^net:\[\d+\]$/);
  });

  for (const [where, from] of Object.entries({ network: OTHER_NETWORK, host: OTHER_HOST })) {
    it(`from another ${where} with a loopback address is not dialled, and stays`, async () => {
      await put('far', { from, ...(where === 'host' && { pid: DEAD_PID }) });
      const { provider, found } = await start();
      provider.failed({ id: 'far', incarnation: 'far-1', addresses: [NEAR] }, true);
      await look();
      await look();
      expect(found).to.deep.equal([]);
      expect(await isThere('far')).to.equal(true);
    });

    it(`from another ${where} is dialled at its other addresses by a peer that can reach them`, async () => {
      await put('far', { from, beyond: [FAR] });
      const { found } = await start();
      expect(found.map(({ addresses }) => addresses)).to.deep.equal([[FAR]]);
      expect((await start(({ host }) => host === NEAR.host)).found).to.deep.equal([]);
    });
  }

  it('from another host says nothing about processes here', async () => {
    await put('far', { from: OTHER_HOST, beyond: [FAR] });
    await put('near', { from: HERE });
    const { found } = await start();
    const pids = new Map(found.map(({ id, pid }) => [id, pid]));
    expect(pids).to.deep.equal(
      new Map([
        ['far', undefined],
        ['near', process.pid],
      ]),
    );
  });

  it('of a process here that has ended is removed without a dial, even when it is from another network', async () => {
    await put('dead', { from: HERE, pid: DEAD_PID });
    await put('dead-in-network', { from: OTHER_NETWORK, pid: DEAD_PID });
    await put('dead-in-world', { from: HERE, pid: DEAD_PID, world: 'theirs' });
    await put('elsewhere', { from: OTHER_PROCESSES, pid: DEAD_PID });
    const { found } = await start();
    expect(found.map(({ id }) => id)).to.deep.equal(['elsewhere']);
    expect((await readdir(folder)).toSorted()).to.deep.equal(['elsewhere.peer.json', 'self.peer.json']);
  });

  it('of an invisible process is removed when the same loopback refuses its dial', async () => {
    await put('other', { from: OTHER_PROCESSES });
    const { provider, found, lost } = await start();
    provider.failed(found[0]!, true);
    await eventually(() => expect(lost).to.deep.equal(['other']));
    expect(await isThere('other')).to.equal(false);
  });

  it('without a place stays, and is not dialled again for five minutes', async () => {
    await put('client', {});
    const { provider, found, lost } = await start();
    provider.failed(found[0]!, true);
    await eventually(() => expect(lost).to.deep.equal(['client']));
    await look();
    expect(found).to.have.length(1);
    expect(await isThere('client')).to.equal(true);
    clock.increment(5 * MINUTE);
    await eventually(() => expect(found).to.have.length(2));
  });

  it('without a place waits while many others like it are tried', async () => {
    for (let index = 0; index < 200; index += 1) await put(`client-${index}`, {});
    const { provider, found, lost } = await start();
    for (let index = 0; index < 200; index += 1) provider.wanted(`client-${index}`);
    await eventually(() => expect(lost).to.have.length(200 - 64));
    expect(found).to.have.length(64);
    await look();
    expect(found).to.have.length(128);
  });

  it('is refreshed, so that others see that its peer is alive', async () => {
    await start();
    const before = await stat(path('self'));
    clock.increment(5 * MINUTE);
    await eventually(async () => (await stat(path('self'))).ino !== before.ino);
  });

  it('is removed after half an hour without a refresh, unless its process is seen to be alive', async () => {
    const [old, fresh] = [31 * MINUTE, 29 * MINUTE];
    await put('old-elsewhere', { from: OTHER_HOST }, old);
    await put('old-unknown', {}, old);
    await put('old-alive', { from: HERE }, old);
    await put('fresh-elsewhere', { from: OTHER_NETWORK }, fresh);
    for (const draft of ['.x.x-1.draft', '.secret-0123456789ab', '.mine']) {
      await writeFile(join(folder, draft), '');
      await utimes(join(folder, draft), 0, 0);
    }
    await writeFile(path('junk'), 'junk');
    await utimes(path('junk'), 0, 0);
    await start();
    const left = [
      '.mine',
      'fresh-elsewhere.peer.json',
      'junk.peer.json',
      'old-alive.peer.json',
      'self.peer.json',
    ];
    expect((await readdir(folder)).toSorted()).to.deep.equal(left);
  });
});
