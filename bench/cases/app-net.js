// app-net. There is no port to agree on: peers find each other through the runtime folder, which
// run.js makes anew for every pair of processes and names in APP_NET_RUNTIME_DIR.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPeer } from 'app-net';
import { dialHandshake } from '../../build/connection/dial/handshaking.js';
import { systemClock } from '../../build/base/time/clock.js';
import { webSocketTransport } from '../../build/transport/websocket.js';
import { deriveKeys } from '../../build/wire/handshake/secret.js';

const GROUP = 'bench';
const SERVER = 'server';

export async function server({ service }) {
  await startServer(service);
  return {};
}

export async function connect() {
  return connectTo();
}

// One whole peer with many connections, as a busy one has. Whole peers on the other side would all connect to each
// other, too, so what connects there is no more than the handshake: only the server's figure is app-net's.
export const idle = {
  // The peer that is there already takes them all.
  async server() {},
  async client({ from, count }) {
    const made = [];
    for (let i = from; i < from + count; i++) made.push(await shakeHands(`idle-${i}`));
    return made;
  },
};

async function shakeHands(id) {
  const directory = process.env.APP_NET_RUNTIME_DIR;
  const file = readdirSync(directory).find((name) => name.endsWith('.peer.json'));
  const { addresses, id: to } = JSON.parse(readFileSync(join(directory, file), 'utf8'));
  const keys = await deriveKeys(readFileSync(join(directory, 'secret'), 'utf8').trim());
  const socket = await webSocketTransport().dial(addresses[0], { largestMessage: 65_536 });
  const description = { name: id, group: GROUP, hub: false, pid: process.pid, host: 'bench', functions: [] };
  const self = { id, incarnation: id, limits: { message: 65_536, calls: 1 }, describe: () => description };
  await new Promise((done, failed) => {
    dialHandshake(socket, to, { self, keys, clock: systemClock }, { done, failed });
  });
  socket.receive({ message() {}, closed() {} });
  return { close: () => socket.close(1000, '') };
}

async function startServer(service) {
  const peer = createPeer({ name: SERVER, group: GROUP });
  await peer.start();
  peer.connect('add', (a, b) => service.add(a, b));
  peer.connect('echo', (text) => service.echo(text));
  peer.connect('hold', () => service.hold());
}

async function connectTo() {
  const peer = createPeer({ name: 'client', group: GROUP });
  await peer.start();
  // The last of the three to be connected: with it the others are there as well.
  const [remote] = await peer.peers.ready('hold');
  return {
    add: (a, b) => remote.call('add', [a, b]),
    echo: (text) => remote.call('echo', [text]),
    hold: () => remote.call('hold', []),
    close: () => peer.stop(),
  };
}
