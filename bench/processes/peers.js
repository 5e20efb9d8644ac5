// Entry point of a process of the growth set: node processes/peers.js <case>. Holds any number of
// peers of one group.
import './loopback.js';
import { cpuMicroseconds, descriptors, liveBytes, wireBytes } from './usage.js';
import { answerParent } from './answer.js';
import { adding, keepCalling } from './load.js';

const [name] = process.argv.slice(2);
let growth;
let peers = [];

answerParent({
  // Loading is kept apart from starting, so that the time to join holds no time to read modules.
  async load() {
    ({ growth } = await import(`../cases/${name}-growth.js`));
  },
  async start({ names, others, places }) {
    peers = await Promise.all(names.map((one) => growth.start({ name: one, others, places })));
  },
  // The clock of the machine, since the answers of several processes are compared.
  joined: () => Promise.all(peers.map((peer) => peer.joined)),
  came: ({ of }) => Promise.all(peers.map((peer) => peer.came(of))),
  went: ({ of }) => Promise.all(peers.map((peer) => peer.went(of))),
  async calls({ several, ...window }) {
    const adders = await peers[0].adders();
    const calls = (several ? adders : adders.slice(0, 1)).map(adding);
    return keepCalling((n) => calls[n % calls.length](n), window);
  },
  cpu: () => cpuMicroseconds(),
  descriptors: () => descriptors(),
  written: () => wireBytes()?.written ?? 0,
  live: () => liveBytes(),
});
