import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { Lan } from '../support/lan.ts';
import type { LanHost } from '../support/lan-host.ts';
import { MODULES } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

/** A peer that tells each join and leave, and every second how it fares. */
const PEER = `
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createPeer } from 'app-net';
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const tell = (line) => console.log(JSON.stringify(line));
const peer = createPeer({ lan: true, id: process.env.ID });
const began = performance.now();
peer.peers.on('join', ({ name }) => tell({ join: name, after: performance.now() - began }));
peer.peers.on('leave', ({ name }, why, evidence) => tell({ leave: name, why, evidence: String(evidence) }));
await peer.start();
const lag = monitorEventLoopDelay({ resolution: 10 });
lag.enable();
setInterval(() => {
  collect();
  const { candidates } = peer.actor.system.get('discovery').getSnapshot().context;
  const { user, system } = process.cpuUsage();
  tell({ heap: process.memoryUsage().heapUsed, busy: (user + system) / 1000, lag: lag.max / 1e6, candidates: candidates.size });
  lag.reset();
}, 1_000);
tell({ online: true });
`;

/** Says of thousands of peers that are none where they are, all of which leads to the trap; and talks nonsense in between. */
const FLOODER = `
import { createSocket } from 'node:dgram';
import { writeResponse } from '${new URL('providers/mdns/packet.js', MODULES).href}';
import { ownRecords } from '${new URL('providers/mdns/records.js', MODULES).href}';
const { RATE, SECONDS, SENDERS, TRAPS, IDS } = process.env;
const ids = IDS.split(' ').filter(Boolean);
const traps = TRAPS.split(' ');
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const id = () => Math.random().toString(36).slice(2).padEnd(12, 'x');
const packets = Array.from({ length: 5_000 }, (_, index) => {
  const records = ownRecords({ id: ids.length > 0 ? pick(ids) : id(), incarnation: id() }, 4711, [pick(traps), pick(traps)]);
  const { pointer, location, description, addresses } = records;
  const bytes = writeResponse([pointer, location, description, ...addresses]);
  if (index % 4 === 0) for (let change = 0; change < 8; change += 1) bytes[Math.floor(Math.random() * bytes.length)] ^= 1 << (change % 8);
  return bytes;
});
const sockets = await Promise.all(SENDERS.split(' ').map((address) => new Promise((resolve) => {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind(5353, address, () => {
    socket.setMulticastInterface(address);
    resolve(socket);
  });
})));
console.log(JSON.stringify({ flooding: true }));
const began = performance.now();
let sent = 0;
let over = false;
process.once('SIGTERM', () => (over = true));
while (!over && performance.now() - began < SECONDS * 1_000) {
  const owed = ((performance.now() - began) * RATE) / 1_000;
  for (; sent < owed; sent += 1) sockets[sent % sockets.length].send(packets[sent % packets.length], 5353, '224.0.0.251');
  await new Promise((resolve) => setTimeout(resolve, 1));
}
console.log(JSON.stringify({ flooded: sent, took: performance.now() - began }));
for (const socket of sockets) socket.close();
`;

/** Takes every connection, counts it, and ends it. */
const TRAP = `
import { createServer } from 'node:net';
createServer((socket) => {
  console.log(JSON.stringify({ dialled: Date.now(), by: socket.remoteAddress }));
  socket.on('error', () => {}).destroy();
}).listen(4711, '0.0.0.0', () => console.log(JSON.stringify({ listening: true })));
`;

interface Line {
  online?: true;
  flooding?: true;
  listening?: true;
  flooded?: number;
  took?: number;
  join?: string;
  leave?: string;
  after?: number;
  heap?: number;
  busy?: number;
  lag?: number;
  candidates?: number;
  dialled?: number;
  by?: string;
}

export interface Flood {
  /** Packets per second that were sent. */
  rate: number;
  /** Addresses that each of the two peers dialled in vain: per second of the flood, and the most within one. */
  dials: { perSecond: number; most: number }[];
  /** Leaves that either saw. */
  leaves: Line[];
  /** How long a third peer took to join both while the flood went on, in ms; undefined if it did not. */
  join: number | undefined;
  /** This and the next three are of the peer that fared worst. Heap that was added, in MiB. */
  heap: number;
  /** In ms. */
  lag: number;
  /** Part of a processor. */
  load: number;
  candidates: number;
}

/**
 * Two peers on two hosts, and a third host from which so many answers a second come that are lies or nonsense.
 * @param senders addresses that they come from, each with limits of its own
 * @param ids of peers about which they are: `a`, `b` and `c` are the ids of the honest. Default: others, thousands
 * @param untilJoined whether it ends as soon as the third peer has joined the two
 */
export async function mdnsFlood(
  seconds: number,
  rate: number,
  senders: number,
  ids: readonly string[] = [],
  untilJoined = false,
): Promise<Flood> {
  const lan = await Lan.open();
  try {
    const env = { APP_NET_SECRET: makeSecret() };
    const hosts = [await lan.host('a'), await lan.host('b'), await lan.host('c')];
    const liar = await lan.host('liar');
    const trap = await lan.host('trap');
    const more = (host: LanHost, first: number, count: number): Promise<string[]> =>
      Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const address = `10.77.0.${first + index}`;
          await host.exec('ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0');
          return address;
        }),
      );
    const traps = await more(trap, 100, 50);
    const liars = [liar.address, ...(await more(liar, 150, senders - 1))];
    const trapped = await trap.start(TRAP);
    await trapped.line((line: Line) => line.listening === true);
    const start = (host: LanHost): Promise<TestProcess> =>
      host.start(PEER, { env: { ...env, APP_NET_NAME: host.name, ID: host.name } });
    const peers = [await start(hosts[0]!), await start(hosts[1]!)];
    await Promise.all(peers.map((each) => each.line((line: Line) => line.join !== undefined)));
    await Promise.all(peers.map((each) => each.line((line: Line) => line.heap !== undefined)));
    const before = peers.map((each) => measures(each).at(-1)!);

    const flooder = await liar.start(FLOODER, {
      env: {
        RATE: String(rate),
        SECONDS: String(seconds),
        SENDERS: liars.join(' '),
        TRAPS: traps.join(' '),
        IDS: ids.join(' '),
      },
    });
    await flooder.line((line: Line) => line.flooding === true);
    await new Promise((resolve) => setTimeout(resolve, (seconds * 1_000) / 4));
    const third = await start(hosts[2]!);
    const joins = (): Line[] => (third.lines as Line[]).filter(({ join }) => join !== undefined);
    if (untilJoined) {
      await eventually(
        () => joins().length === 2 || flooder.child.exitCode !== null,
        seconds * 1_000 + 30_000,
      );
      flooder.child.kill('SIGTERM');
    }
    const { flooded, took } = await flooder.line(
      (line: Line) => line.flooded !== undefined,
      seconds * 1_000 + 30_000,
    );
    const during = peers.map((each) => measures(each));
    await eventually(() => peers.every((each, index) => measures(each).length > during[index]!.length + 1));
    const dialled = (trapped.lines as Line[]).filter((line) => line.dialled !== undefined);
    return {
      rate: flooded! / (took! / 1_000),
      dials: hosts.slice(0, 2).map((host) => {
        const times = dialled.filter(({ by }) => by?.endsWith(host.address)).map((line) => line.dialled!);
        return { perSecond: times.length / (took! / 1_000), most: mostWithin(times, 1_000) };
      }),
      leaves: [...peers, third].flatMap((each) => each.lines as Line[]).filter((line) => line.leave),
      join: joins().length === 2 ? Math.max(...joins().map(({ after }) => after!)) : undefined,
      heap: Math.max(
        ...peers.map((each, index) => (measures(each).at(-1)!.heap! - before[index]!.heap!) / 2 ** 20),
      ),
      lag: Math.max(...during.flat().map(({ lag }) => lag!)),
      load: Math.max(
        ...during.map((each, index) => (each.at(-1)!.busy! - before[index]!.busy!) / (took! + 1_000)),
      ),
      candidates: Math.max(...during.flat().map(({ candidates }) => candidates!)),
    };
  } finally {
    await lan.close();
  }
}

function measures(peer: TestProcess): Line[] {
  return (peer.lines as Line[]).filter(({ heap }) => heap !== undefined);
}

/** How many of the times at most lie within so many ms. */
function mostWithin(times: readonly number[], span: number): number {
  return Math.max(
    0,
    ...times.map((first) => times.filter((each) => each >= first && each < first + span).length),
  );
}
