// How app-net does with many peers: the hooks of the growth set.
import { createPeer } from 'app-net';
import { watching } from '../lib/watching.js';

const GROUP = 'growth';

export const growth = {
  /**
   * Starts one peer which serves add().
   *
   * `joined`, `came` and `went` are those of watching.js; `adders` gives one add() for each of the others.
   */
  async start({ name, others }) {
    const peer = createPeer({ name, group: GROUP });
    const { found, lost, ...watch } = watching(others);
    peer.peers.on('join', (other) => found(other.name));
    peer.peers.on('leave', (other) => lost(other.name));
    await peer.start();
    peer.connect('add', (a, b) => a + b);
    // Those which were already known when the listener came.
    for (const other of await peer.getPeers()) found(other.name);
    return {
      ...watch,
      async adders() {
        await peer.peers.ready('add', { min: others });
        const remotes = await peer.getPeers();
        return remotes.map((remote) => ({ add: (a, b) => remote.call('add', [a, b]) }));
      },
    };
  },
};
