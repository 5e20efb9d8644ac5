import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { createPeer, NetError } from '../../src/index.ts';
import type { Peer } from '../../src/index.ts';
import { natsNetwork } from '../../src/nats.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { NatsServer } from '../support/nats-server.ts';

export interface ClusterTally {
  answered: number;
  /** Calls whose fate the caller was told not to know: they were under way on a connection that broke. */
  lost: number;
  /**
   * Calls that were not sent, since their peer was connecting again and there was no link to it: with more peers than have links to
   * each other. Nothing ran.
   */
  unsent: number;
  /** Anything else that a call came to. */
  wrong: string[];
  /** Joins and leaves after the beginning. */
  told: string[];
  /** The longest time without an answer that a caller had in each round, in ms, ascending. */
  pauses: number[];
}

/** Peers at a cluster of three servers call each other while one server after the other is killed and started again. */
export async function natsCluster(count: number, rounds: number): Promise<ClusterTally> {
  const servers = await startCluster();
  const secret = makeSecret();
  const peers = Array.from({ length: count }, (_, index) =>
    createPeer({
      ...{ name: `peer-${index}`, secret },
      network: natsNetwork({ servers: servers[index % 3]!.url }),
    }),
  );
  const tally: ClusterTally = { answered: 0, lost: 0, unsent: 0, wrong: [], told: [], pauses: [] };
  let running = true;
  let calling: Promise<void>[] = [];
  const longest = peers.map(() => 0);
  try {
    for (const peer of peers) peer.connect('twice', (n: number) => 2 * n);
    await Promise.all(peers.map((peer) => peer.start()));
    await Promise.all(peers.map((peer) => peer.peers.ready('twice', { min: count - 1 })));
    for (const peer of peers) {
      const tell = (what: string): unknown => running && tally.told.push(`${peer.name}: ${what}`);
      peer.peers.on('leave', ({ name }, why, evidence) => tell(`${name} left: ${why} (${evidence.text})`));
      peer.peers.on('join', ({ name }) => tell(`${name} joined`));
    }
    calling = peers.map(async (peer, index) => {
      let answeredAt = performance.now();
      for (let n = 0; running; n += 1) {
        const other = peers[(index + 1 + (n % (count - 1))) % count]!;
        try {
          const twice = peer.remote<(n: number) => number>('twice');
          const result = await twice.on(other.id, { deadline: 10_000 })(n);
          if (result !== 2 * n) tally.wrong.push(`${n} gave ${result}`);
          tally.answered += 1;
        } catch (error) {
          const { code, ran, message } = error as NetError;
          if (code === 'CONNECTION_LOST' && ran === 'unknown') tally.lost += 1;
          else if (code === 'NOT_SENT' && ran === 'no') tally.unsent += 1;
          else tally.wrong.push(`${code} ${ran} ${message}`);
        }
        const now = performance.now();
        longest[index] = Math.max(longest[index]!, now - answeredAt);
        answeredAt = now;
        // Many callers in one process: the pauses are to be those of the network.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    for (let round = 0; round < rounds; round += 1) {
      longest.fill(0);
      const victim = servers.shift()!;
      await victim.stop();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const [own] = await freePorts(1);
      const all = [...servers.map(({ clusterPort }) => clusterPort!), own!];
      servers.push(await NatsServer.start({ port: victim.port, cluster: { own: own!, all } }));
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      tally.pauses.push(Math.max(...longest));
    }
    // Long enough for a wrong leave: nothing is concluded in the first 6 s.
    await new Promise((resolve) => setTimeout(resolve, 7_000));
  } finally {
    running = false;
    await Promise.all(calling);
    await Promise.all(peers.map((peer: Peer) => peer.stop({ drainTime: 0 })));
    await Promise.all(servers.map((server) => server.stop()));
  }
  tally.pauses.sort((a, b) => a - b);
  return tally;
}

async function startCluster(): Promise<NatsServer[]> {
  const all = await freePorts(3);
  return Promise.all(all.map((own) => NatsServer.start({ cluster: { own, all } })));
}

/** A server of a cluster has to know the ports of the others before any of them is started. */
async function freePorts(count: number): Promise<number[]> {
  const listeners = await Promise.all(
    Array.from({ length: count }, async () => {
      const listener = createServer();
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
      return listener;
    }),
  );
  const ports = listeners.map((each) => (each.address() as AddressInfo).port);
  await Promise.all(listeners.map((each) => new Promise((resolve) => each.close(resolve))));
  return ports;
}
