// app-net. There is no port to agree on: peers find each other through the runtime folder, which
// run.js makes anew for every pair of processes and names in NET_RUNTIME_DIR.
import { join } from 'node:path';
import { createPeer } from 'app-net';

export { growth } from './app-net-growth.js';

const GROUP = 'bench';
const SERVER = 'server';
const AT_ONCE = 20;

export async function server({ service }) {
  await startServer(service);
  return {};
}

export async function connect() {
  return connectTo();
}

// A connection here is one between two whole peers, so many idle connections means many peers on
// both sides. Each pair has a runtime folder of its own; in a common one all would connect to all.
export const idle = {
  server: ({ from, count, service }) => someAtOnce(from, count, (i) => startServer(service, folderOfPair(i))),
  client: ({ from, count }) =>
    someAtOnce(from, count, async (i) => {
      const connection = await connectTo(folderOfPair(i));
      await connection.add(i, 1);
      return connection;
    }),
};

// One after the other would take a minute: each pair needs a moment to find each other.
async function someAtOnce(from, count, make) {
  const made = [];
  for (let i = from; i < from + count; i += AT_ONCE) {
    const length = Math.min(AT_ONCE, from + count - i);
    made.push(...(await Promise.all(Array.from({ length }, (_, step) => make(i + step)))));
  }
  return made;
}

function folderOfPair(i) {
  return join(process.env.NET_RUNTIME_DIR, String(i));
}

async function startServer(service, runtimeDir) {
  const peer = createPeer({ name: SERVER, group: GROUP, runtimeDir });
  await peer.start();
  peer.connect('add', (a, b) => service.add(a, b));
  peer.connect('echo', (text) => service.echo(text));
  peer.connect('hold', () => service.hold());
}

async function connectTo(runtimeDir) {
  const peer = createPeer({ name: 'client', group: GROUP, runtimeDir });
  await peer.start();
  // The last of the three to be connected: with it the others are there as well.
  await peer.peers.ready('hold', { min: 1 });
  const remote = (await peer.getPeers()).find(({ name }) => name === SERVER);
  return {
    add: (a, b) => remote.call('add', [a, b]),
    echo: (text) => remote.call('echo', [text]),
    hold: () => remote.call('hold', []),
    close: () => peer.stop(),
  };
}
