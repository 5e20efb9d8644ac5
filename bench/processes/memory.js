// Entry point of the process that holds many peers on the network in memory: node processes/memory.js
import { answerParent } from './answer.js';
import { cpuMicroseconds } from './usage.js';
import { watching } from '../lib/watching.js';

let library;

answerParent({
  async load() {
    const [{ createPeer }, { MemoryNetwork }] = await Promise.all([
      import('app-net'),
      import('app-net/testing'),
    ]);
    library = { createPeer, MemoryNetwork };
  },
  async start({ peers }) {
    const network = new library.MemoryNetwork();
    const all = Array.from({ length: peers }, (_, index) => {
      const peer = library.createPeer({ network, name: `peer-${index}` });
      const { found, lost, joined } = watching(peers - 1);
      peer.peers.on('join', (other) => found(other.name));
      peer.peers.on('leave', (other) => lost(other.name));
      return { peer, joined };
    });
    const cpuBefore = cpuMicroseconds();
    const startedAt = Date.now();
    await Promise.all(all.map(({ peer }) => peer.start()));
    const joinedAt = await Promise.all(all.map(({ joined }) => joined));
    return {
      lastMs: Math.max(...joinedAt) - startedAt,
      cpuMs: (cpuMicroseconds() - cpuBefore) / peers / 1000,
    };
  },
});
