import { expect } from 'chai';

import { eventually } from '../support/eventually.ts';
import { meet, Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

/** A peer that on demand opens files until it may open no more, and tells every second what it has cost. */
const STARVING = `
  import { openSync, closeSync } from 'node:fs';
  import { createPeer } from 'app-net';
  const peer = createPeer({ id: 'mmm', name: 'starving' });
  const files = [];
  const grab = () => { try { for (;;) files.push(openSync('/dev/null')); } catch (error) { return error.code; } };
  peer.connect('starve', () => grab());
  peer.connect('release', () => { for (const file of files.splice(0)) closeSync(file); });
  // Descriptors that the library closes are taken as well, so that none is left for it.
  setInterval(() => { if (files.length > 0) grab(); }, 20);
  await peer.start();
  peer.peers.on('leave', (other) => console.log(JSON.stringify({ left: other.name })));
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    console.log(JSON.stringify({ cpu: (user + system) / 1000, known: peer.peers.list().map(({ name }) => name) }));
  }, 500);
`;

interface Cost {
  cpu: number;
  known: string[];
}

describe('a process that cannot open more files', function () {
  this.timeout(120_000);
  const stage = new Stage();
  // Room for Node to load the files of the library, which it opens many at a time.
  const processes = new Processes(['sh', '-c', 'ulimit -n 256; exec "$0" "$@"']);
  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  it('keeps its connections, uses no CPU in a loop, and meets new peers once it has files again', async () => {
    const runtimeDir = await stage.folder();
    const starving = await processes.start(runtimeDir, STARVING);
    const before = await stage.make({ runtimeDir, id: 'bbb', name: 'before' }).start();
    const [peer] = await meet(before, 'mmm');
    const costs = (): Cost[] => (starving.lines as Cost[]).filter(({ cpu }) => cpu !== undefined);
    await eventually(() => costs().at(-1)?.known.length === 1);
    expect(await peer!.call('starve')).to.equal('EMFILE');

    // One that dials it, and one that it has to dial.
    const lower = await stage.make({ runtimeDir, id: 'aaa', name: 'lower' }).start();
    const upper = await stage.make({ runtimeDir, id: 'zzz', name: 'upper' }).start();
    await Promise.all([meet(before, 'aaa', 'zzz'), meet(lower, 'zzz')]);
    const [from, count] = [costs().at(-1)!, costs().length];
    await eventually(() => costs().length >= count + 5, 20_000);
    const to = costs().at(-1)!;
    // It hears of them from the one that it is linked with, and has no file left for a link of its own.
    expect(to.known).to.have.members(['before', 'lower', 'upper']);
    console.log(
      `      ${Math.round(to.cpu - from.cpu)} ms of processor time in two and a half seconds without files`,
    );
    expect(to.cpu - from.cpu).to.be.below(1_250);

    await peer!.call('release');
    await Promise.all([meet(lower, 'mmm'), meet(upper, 'mmm')]);
    await eventually(() => costs().at(-1)!.known.length === 3);
    expect(starving.lines.filter((line) => (line as { left?: string }).left !== undefined)).to.deep.equal([]);
    expect(starving.errors).to.equal('');
  });
});
