import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { NatsServer } from '../support/nats-server.ts';
import type { CallersInput, CallersReport } from './nats-callers.ts';

export interface ClusterTally extends Omit<CallersReport, 'pauses'> {
  /** The longest time without an answer in each round, in ms, ascending: of the caller that waited longest. */
  pauses: number[];
  /** The same of the caller in the middle: what most callers notice. */
  usual: number[];
}

export interface ClusterOptions {
  /** Peers, the same number in each process. */
  count: number;
  processes: number;
  rounds: number;
  /** Kill the next server as soon as the one before is started again, before it knows the others. Default: false. */
  overlap?: boolean;
  /** Called after each round with its number and its longest pause. */
  progress?: (round: number, pause: number) => void;
}

/** How long all callers have to get answers from all again, in ms. */
const MOST_TIME = 120_000;

/**
 * Peers at a cluster of three servers call each other while one server after the other is killed and started again. A round is
 * over when every caller has had an answer from every other peer since the death, and the server is back in the cluster.
 */
export async function natsCluster(options: ClusterOptions): Promise<ClusterTally> {
  const { count, processes, rounds, overlap = false, progress } = options;
  const servers = await startCluster();
  const tally: ClusterTally = {
    ...{ answered: 0, lost: 0, unsent: 0 },
    ...{ wrong: [], told: [], pauses: [], usual: [] },
  };
  const input = { servers: servers.map(({ url }) => url), secret: makeSecret(), all: count };
  const each = count / processes;
  const callers = Array.from({ length: processes }, (_, index) =>
    start({ ...input, first: index * each, count: each }),
  );
  /** Returns the longest time without an answer since the last time, for each caller, in ascending order. */
  const collect = async (order: 'report' | 'rest'): Promise<number[]> => {
    const reports = await Promise.all(callers.map((caller) => reportOf(caller, order)));
    for (const { answered, lost, unsent, wrong, told } of reports) {
      tally.answered += answered;
      tally.lost += lost;
      tally.unsent += unsent;
      tally.wrong.push(...wrong);
      tally.told.push(...told);
    }
    return reports.flatMap(({ pauses }) => pauses).toSorted((a, b) => a - b);
  };
  const killOne = async (): Promise<NatsServer> => {
    const victim = servers.shift()!;
    await victim.stop();
    return victim;
  };
  const startAgain = async ({ port }: NatsServer): Promise<NatsServer> => {
    const [own] = await freePorts(1);
    const all = [...servers.map(({ clusterPort }) => clusterPort!), own!];
    const server = await NatsServer.start({ port, cluster: { own: own!, all } });
    servers.push(server);
    return server;
  };
  try {
    await Promise.all(callers.map((caller) => nextMessage(caller)));
    for (const caller of callers) caller.send('call');
    await collect('report');
    for (let round = 0; round < rounds; round += 1) {
      let victim = await killOne();
      if (overlap) {
        await startAgain(victim);
        victim = await killOne();
      }
      const pauses = await collect('report');
      await isComplete(await startAgain(victim));
      tally.pauses.push(pauses.at(-1)!);
      tally.usual.push(pauses[pauses.length >> 1]!);
      progress?.(round, pauses.at(-1)!);
    }
    // Long enough for a wrong leave: nothing is concluded in the first 6 s.
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    await collect('rest');
    const ended = callers.map((caller) => once(caller, 'exit'));
    for (const caller of callers) caller.send('stop');
    for (const [code] of await Promise.all(ended))
      if (code !== 0) throw new Error(`a process of callers ended with ${code}`);
  } finally {
    for (const caller of callers) caller.kill('SIGKILL');
    await Promise.all(servers.map((server) => server.stop()));
  }
  for (const times of [tally.pauses, tally.usual]) times.sort((a, b) => a - b);
  return tally;
}

function start(input: CallersInput): ChildProcess {
  const program = fileURLToPath(new URL('nats-callers.ts', import.meta.url));
  return fork(program, [JSON.stringify(input)], { execArgv: ['--import', 'tsx'] });
}

/** The next message. Fails when the process ends instead. */
function nextMessage(caller: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a process of callers ended with ${code}`));
    caller.once('exit', ended);
    caller.once('message', (message) => {
      caller.off('exit', ended);
      resolve(message);
    });
  });
}

async function reportOf(caller: ChildProcess, order: 'report' | 'rest'): Promise<CallersReport> {
  const report = nextMessage(caller) as Promise<CallersReport>;
  caller.send(order);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `not every caller got an answer from everybody within ${MOST_TIME / 1_000} s`;
    timer = setTimeout(() => reject(new Error(text)), MOST_TIME);
  });
  return Promise.race([report, late]).finally(() => clearTimeout(timer));
}

async function startCluster(): Promise<NatsServer[]> {
  const all = await freePorts(3);
  const servers = await Promise.all(all.map((own) => NatsServer.start({ cluster: { own, all } })));
  await Promise.all(servers.map((server) => isComplete(server)));
  return servers;
}

/** Resolves when the server knows both others: it tells its clients of them. */
async function isComplete({ port }: NatsServer): Promise<void> {
  await eventually(async () => {
    const socket = connect(port, '127.0.0.1');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    const info = JSON.parse(String(chunk).slice('INFO '.length)) as { connect_urls?: string[] };
    return info.connect_urls?.length === 3;
  });
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
