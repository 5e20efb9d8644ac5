import { expect } from 'chai';

import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

const WORKERS = 4;

/** Each worker says its port, and whom it meets. */
const CLUSTER = `
import cluster from 'node:cluster';
import { createPeer } from 'app-net';
if (cluster.isPrimary) {
  for (let count = 0; count < ${WORKERS}; count += 1) cluster.fork();
} else {
  const peer = createPeer({ id: 'worker-' + cluster.worker.id });
  peer.connect('who', () => peer.id);
  await peer.start();
  const { port } = peer.actor.getSnapshot().context.opened.listener.addresses[0];
  while (peer.peers.size < ${WORKERS - 1}) await new Promise((resolve) => peer.peers.once('join', resolve));
  const answers = await Promise.all([...peer.peers].map((each) => each.call('who').then((id) => id === each.id)));
  console.log(JSON.stringify({ port, answers }));
}
`;

describe('workers of one node:cluster', () => {
  const processes = new Processes();
  const stage = new Stage();

  after(async () => {
    await processes.clear();
    await stage.clear();
  });

  it('get a port each, and all meet', async () => {
    const primary = await processes.start(await stage.folder(), CLUSTER);
    await primary.line(() => primary.lines.length === WORKERS, 25_000);
    const workers = primary.lines as { port: number; answers: boolean[] }[];
    expect(new Set(workers.map(({ port }) => port)).size).to.equal(WORKERS);
    for (const { answers } of workers)
      expect(answers).to.deep.equal(Array.from({ length: WORKERS - 1 }, () => true));
  });
});
