import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { NatsServer } from '../support/nats-server.ts';
import type { CallersInput, CallersReport } from './nats-callers.ts';

export interface ClusterTally extends Omit<CallersReport, 'pauses'> {
  /** The longest time without an answer in each round, in ms, ascending: of the caller that waited longest. */
  pauses: number[];
  /** The same of the caller in the middle: what most callers notice. */
  usual: number[];
}

/** How long every caller has to get its answers before the next server is killed, in ms, and how often that is looked at. */
const LOOK = 500;
const MOST_TURNS = 120;

/**
 * Peers at a cluster of three servers call each other while one server after the other is killed and started again.
 * @param count peers, the same number in each process
 */
export async function natsCluster(count: number, processes: number, rounds: number): Promise<ClusterTally> {
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
  const collect = async (): Promise<number[]> => {
    const reports = await Promise.all(callers.map((caller) => reportOf(caller)));
    for (const { answered, lost, unsent, wrong, told } of reports) {
      tally.answered += answered;
      tally.lost += lost;
      tally.unsent += unsent;
      tally.wrong.push(...wrong);
      tally.told.push(...told);
    }
    return reports.flatMap(({ pauses }) => pauses);
  };
  /** Each round begins when every caller gets answers again. Returns the longest time without one, for each, in ascending order. */
  const calm = async (): Promise<number[]> => {
    let longest = await collect();
    for (let turns = 0; turns < MOST_TURNS; turns += 1) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
      const pauses = await collect();
      longest = longest.map((pause, index) => Math.max(pause, pauses[index]!));
      if (Math.max(...pauses) < LOOK) break;
    }
    return longest.toSorted((a, b) => a - b);
  };
  try {
    await Promise.all(callers.map((caller) => nextMessage(caller)));
    for (const caller of callers) caller.send('call');
    await settled();
    await calm();
    for (let round = 0; round < rounds; round += 1) {
      const victim = servers.shift()!;
      await victim.stop();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const [own] = await freePorts(1);
      const all = [...servers.map(({ clusterPort }) => clusterPort!), own!];
      servers.push(await NatsServer.start({ port: victim.port, cluster: { own: own!, all } }));
      await settled();
      const pauses = await calm();
      tally.pauses.push(pauses.at(-1)!);
      tally.usual.push(pauses[pauses.length >> 1]!);
    }
    // Long enough for a wrong leave: nothing is concluded in the first 6 s.
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    await collect();
    await Promise.all(callers.map((caller) => stop(caller)));
  } finally {
    for (const caller of callers) caller.kill('SIGKILL');
    await Promise.all(servers.map((server) => server.stop()));
  }
  for (const times of [tally.pauses, tally.usual]) times.sort((a, b) => a - b);
  return tally;
}

function start(input: CallersInput): ChildProcess {
  const program = fileURLToPath(new URL('nats-callers.ts', import.meta.url));
  return fork(program, [JSON.stringify(input)], {
    execArgv: [
      '--import',
      'tsx',
      ...(process.env.PROF ? ['--cpu-prof', '--cpu-prof-dir=/tmp/natsy/prof'] : []),
    ],
  });
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

function reportOf(caller: ChildProcess): Promise<CallersReport> {
  const report = nextMessage(caller) as Promise<CallersReport>;
  caller.send('report');
  return report;
}

async function stop(caller: ChildProcess): Promise<void> {
  const ended = once(caller, 'exit');
  caller.send('stop');
  const [code] = await ended;
  if (code !== 0) throw new Error(`a process of callers ended with ${code}`);
}

/** Long enough for the servers of a cluster to know each other, and all clients of all. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_500));
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
