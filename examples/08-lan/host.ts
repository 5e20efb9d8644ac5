// Runs on each host: APP_NET_LAN=1 APP_NET_SECRET_FILE=net.secret npx tsx examples/08-lan/host.ts
import { connect, getPeers, peers, serve } from 'app-net';

export const pidThere = connect('lan.pid', () => process.pid);

peers.on('join', (peer) => {
  pidThere
    .on(peer)()
    .then(
      (pid) => console.log(`${peer.name} has joined, and answers as process ${pid}`),
      (error: Error) => console.log(`${peer.name} has joined, and does not answer: ${error.message}`),
    );
});
peers.on('leave', (peer, why) => console.log(`${peer.name} has left (${why})`));

// Resolves after the first search, when every peer that was found has been tried.
if ((await getPeers()).length === 0) console.log('nobody is here yet');
await serve();
