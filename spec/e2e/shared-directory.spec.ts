import { spawnSync } from 'node:child_process';
import { access, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { eventually } from '../support/eventually.ts';
import { need } from '../support/need.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

/** The words that run a command in a network of its own, in which loopback works. */
const CONTAINED = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];

const PEER = `
import { createPeer } from 'app-net';
await createPeer({ id: 'contained' }).start();
console.log(JSON.stringify({ online: true }));
`;

describe('a runtime directory shared by two network namespaces', () => {
  const stage = new Stage();
  const processes = new Processes(CONTAINED);

  before(function () {
    const [program, ...words] = [...CONTAINED, 'true'];
    need(this, spawnSync(program, words).status === 0, 'network namespaces, so Linux and root');
  });
  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  it('keeps each announcement while its peer lives, and nobody dials the loopback of the other namespace', async () => {
    const runtimeDir = await stage.folder();
    const contained = await processes.start(runtimeDir, PEER);
    await contained.line(({ online }: { online?: true }) => online === true);
    const own = stage.make({ runtimeDir, id: 'own' });
    await own.start();
    const file = (id: string): string => join(runtimeDir, `${id}.peer.json`);
    const before = await stat(file('contained'));
    for (let look = 0; look < 2; look += 1) {
      // It is there again at the end of a whole look at the directory.
      await unlink(file('own'));
      await eventually(() => access(file('own')));
    }
    expect((await stat(file('contained'))).ino, 'never removed, so never made again').to.equal(before.ino);
    expect(own.evidence('contained'), 'never dialled').to.equal(undefined);

    await contained.kill();
    await eventually(async () => {
      const isThere = await access(file('contained')).then(
        () => true,
        () => false,
      );
      expect(isThere, 'its process has ended, which is seen from here').to.equal(false);
    });
  });
});
