import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { SimulatedClock } from 'xstate';

import { HostProvider } from '../../src/providers/host/host.ts';
import { Looks } from '../../src/providers/host/looks.ts';
import { eventually } from '../support/eventually.ts';
import { needUnix } from '../support/need.ts';

const RESCAN = 2_000;

describe('a faulty runtime directory', () => {
  let folder: string;
  let clock: SimulatedClock;
  let provider: HostProvider;
  let faults: (string | undefined)[];
  let found: string[];
  let names: string[];
  let lost: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
    clock = new SimulatedClock();
    provider = new HostProvider({ directory: folder, clock });
    [faults, found, names, lost] = [[], [], [], []];
  });
  afterEach(async () => {
    await provider.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const address = { host: '127.0.0.1', port: 4000 };
  const announced: string[] = [];

  async function start(): Promise<void> {
    announced.length = 0;
    const self = {
      id: 'self',
      incarnation: 's',
      addresses: [address],
      pid: process.pid,
      world: () => 'ours',
    };
    await provider.start(self, {
      found: ({ id }) => found.push(id),
      named: (id) => names.push(id),
      lost: (id) => lost.push(id),
      announced: () => announced.push('announced'),
      scanned: () => {},
      degraded: (fault) => faults.push(fault?.message),
    });
  }

  async function put(id: string): Promise<void> {
    const text = JSON.stringify({ id, incarnation: 'i', addresses: [address], pid: process.pid });
    await writeFile(join(folder, '.draft'), text);
    await rename(join(folder, '.draft'), join(folder, `${id}.peer.json`));
  }

  const files = (): Promise<string[]> => readdir(folder);

  it('that is read-only at the start is written to once that is possible, with one report', async () => {
    // Stands for a full disk: the file cannot come into being.
    await mkdir(join(folder, 'self.peer.json', 'x'), { recursive: true });
    await put('other');
    await start();
    expect(announced, 'it does not say that others can find it').to.deep.equal([]);
    expect(found, 'it looks for others all the same').to.deep.equal(['other']);
    expect(await files(), 'it leaves no draft').to.have.members(['other.peer.json', 'self.peer.json']);
    clock.increment(RESCAN);
    clock.increment(RESCAN);
    await rm(join(folder, 'self.peer.json'), { recursive: true });
    await eventually(() => {
      clock.increment(RESCAN);
      expect(faults.at(-1)).to.equal(undefined);
    });
    expect(faults).to.have.length(2);
    expect(await files()).to.include('self.peer.json');
  });

  it('that is missing at the start is made and used', async () => {
    await rm(folder, { recursive: true });
    await start();
    expect(await files()).to.deep.equal(['self.peer.json']);
    expect(faults).to.deep.equal([]);
  });

  it('that is a file is used once it is a directory', async () => {
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    await start();
    expect(faults[0]).to.include('is not a directory');
    await rm(folder);
    clock.increment(RESCAN);
    await eventually(() => expect(faults).to.have.length(2));
    expect(await files()).to.deep.equal(['self.peer.json']);
  });

  it('that somebody else makes anew is watched anew', async () => {
    await start();
    await rm(folder, { recursive: true });
    await mkdir(folder, { mode: 0o700 });
    await writeFile(join(folder, 'self.peer.json'), '');
    await put('first');
    clock.increment(RESCAN);
    await eventually(() => expect(found).to.deep.equal(['first']));
    await put('second');
    await eventually(() => expect(found, 'without another look').to.deep.equal(['first', 'second']));
  });

  it('that is opened to others is not used until it is closed to them', async function () {
    needUnix(this);
    await start();
    await chmod(folder, 0o755);
    clock.increment(RESCAN);
    await eventually(() => expect(faults).to.have.length(1));
    expect(faults[0]).to.include(`chmod 700 ${folder}`);
    await chmod(folder, 0o700);
    await put('other');
    await eventually(() => {
      clock.increment(RESCAN);
      expect(faults).to.have.length(2);
    });
    expect(found).to.deep.equal(['other']);
  });

  it('with thousands of other files costs one look at each', async () => {
    for (let index = 0; index < 2_000; index += 1) await writeFile(join(folder, `${index}.peer.json`), '{');
    await put('other');
    await start();
    expect(names).to.have.length(2_001);
    // Each leads nowhere, so others are read as well.
    provider.wanted('0');
    await eventually(() => expect(found).to.deep.equal(['other']));
    await eventually(() => expect(lost).to.have.length(2_000));
  });

  it('has only a few files read at a time, and none twice at once', async () => {
    let most = 0;
    const underWay = new Set<string>();
    const count = new Map<string, number>();
    const looks = new Looks(async (name) => {
      expect(underWay).not.to.include(name);
      underWay.add(name);
      most = Math.max(most, underWay.size);
      count.set(name, (count.get(name) ?? 0) + 1);
      await new Promise(setImmediate);
      underWay.delete(name);
    });
    const all = Array.from({ length: 100 }, (_, index) => `name ${index}`);
    const first = looks.at('name 0');
    await Promise.all([first, ...all.map((name) => looks.at(name)), ...all.map((name) => looks.at(name))]);
    expect(most).to.equal(3);
    expect(count.get('name 0'), 'asked again while it was looked at').to.equal(2);
    expect(count.get('name 99'), 'asked twice while it waited').to.equal(1);
    expect(underWay).to.be.empty;
  });

  it('is not read any more after the provider stopped', async () => {
    const seen: string[] = [];
    const looks = new Looks(async (name) => {
      seen.push(name);
      await new Promise(setImmediate);
    });
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => looks.at(name));
    looks.stop();
    await Promise.all(all);
    expect(seen).to.deep.equal(['a', 'b', 'c']);
  });
});
