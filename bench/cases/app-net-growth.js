// How app-net does with many peers: the hooks of the growth set.
import { createPeer } from 'app-net';

const GROUP = 'growth';

export const growth = {
  /**
   * Starts one peer which serves add().
   *
   * `joined` resolves, with the time it happened, once the peer knows `others` peers; `adders` gives
   * one add() for each of them.
   */
  async start({ name, others }) {
    const peer = createPeer({ name, group: GROUP });
    const known = new Set();
    let settle;
    const joined = new Promise((resolve) => {
      settle = resolve;
    });
    const meet = ({ id }) => {
      known.add(id);
      if (known.size >= others) settle(Date.now());
    };
    peer.peers.on('join', meet);
    await peer.start();
    peer.connect('add', (a, b) => a + b);
    // Those which were already known when the listener came.
    for (const other of await peer.getPeers()) meet(other);
    return {
      joined,
      async adders() {
        await peer.peers.ready('add', { min: others });
        const remotes = await peer.getPeers();
        return remotes.map((remote) => ({ add: (a, b) => remote.call('add', [a, b]) }));
      },
    };
  },
};
