import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { createPeer } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import { ownPlace } from '../../src/providers/host/place.ts';
import { eventually } from '../support/eventually.ts';

/** More than the announcements that are all read. */
const COUNT = 36;

/** All peers are in one process. On a machine with 15 times too much to do they take 8 to 16 s, and otherwise 1 s; in ms. */
const LONG = 40_000;

describe('a crowd of peers on one host', function () {
  this.timeout(120_000);
  let folder: string;
  const peers: Peer[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
  });
  afterEach(() => Promise.all(peers.splice(0).map((each) => each.stop())));
  after(() => rm(folder, { recursive: true, force: true }));

  function make(announce = true): Peer {
    const peer = createPeer({ runtimeDir: folder, announce });
    peers.push(peer);
    return peer;
  }

  const all = (size: number): Promise<void> =>
    eventually(() => {
      for (const { peers: others } of peers) expect(others.size).to.equal(size);
    }, LONG);

  it('meets, among files of peers that died, takes a script in, and sees who leaves', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    const addresses = [{ host: '127.0.0.1', port: 1 }];
    for (let index = 0; index < 10; index += 1) {
      const dead = { id: `dead-${index}`, incarnation: 'x', addresses, pid, from: ownPlace() };
      await writeFile(join(folder, `dead-${index}.peer.json`), JSON.stringify(dead));
    }
    await Promise.all(Array.from({ length: COUNT }, () => make().start()));
    await all(COUNT - 1);
    await eventually(
      async () => expect((await readdir(folder)).filter((name) => name.startsWith('dead'))).to.be.empty,
    );
    const script = make(false);
    await script.start();
    await eventually(() => script.peers.size === COUNT);
    await peers.shift()!.stop();
    await script.stop();
    peers.pop();
    await all(COUNT - 2);
  });
});
