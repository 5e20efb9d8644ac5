import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openBus } from '../../src/transport/nats/bus.ts';
import { checkNatsOptions } from '../../src/transport/nats/nats-options.ts';
import type { NatsOptions } from '../../src/transport/nats/nats-options.ts';
import { Station } from '../../src/transport/nats/station.ts';
import { Subjects } from '../../src/transport/nats/subjects.ts';
import { deriveKeys } from '../../src/wire/handshake/secret.ts';
import { eventually } from './eventually.ts';
import { need } from './need.ts';

/** A real `nats-server`, on free ports and with a folder of its own. */

const PROGRAM = 'nats-server';

function isInstalled(): boolean {
  try {
    execFileSync(PROGRAM, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Call in `before`. Skips where the server is missing; with `CI` set, fails. */
export function needNats(context: Mocha.Context): void {
  need(context, isInstalled(), `${PROGRAM}: apt-get install ${PROGRAM}`);
}

export interface ServerOptions {
  /** Lines of its configuration. */
  configuration?: string;
  /** Its place in a cluster: the cluster's ports of this server and of all. */
  cluster?: { own: number; all: readonly number[] };
  /** The port of a server that was there before. Default: a free one. */
  port?: number;
}

export class NatsServer {
  readonly port: number;
  /** Where the other servers of its cluster reach it. */
  readonly clusterPort: number | undefined;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, clusterPort: number | undefined, folder: string, server: ChildProcess) {
    this.port = port;
    this.clusterPort = clusterPort;
    this.#folder = folder;
    this.#process = server;
  }

  static async start({ configuration = '', cluster, port = -1 }: ServerOptions = {}): Promise<NatsServer> {
    const folder = await mkdtemp(join(tmpdir(), 'app-net-nats-'));
    const routes = cluster?.all.map((each) => `nats://127.0.0.1:${each}`).join(', ');
    const lines = [
      `listen: "127.0.0.1:${port}"`,
      `ports_file_dir: "${folder}"`,
      ...(cluster ? [`cluster { name: spec, listen: "127.0.0.1:${cluster.own}", routes: [${routes}] }`] : []),
      configuration,
    ];
    const file = join(folder, 'nats.conf');
    await writeFile(file, lines.join('\n'));
    const server = spawn(PROGRAM, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let told = '';
    server.stderr.on('data', (chunk: Buffer) => (told += String(chunk)));
    let opened = 0;
    await eventually(async () => {
      if (server.exitCode !== null) throw new Error(`${PROGRAM} ended: ${told}`);
      const text = await readFile(join(folder, `${PROGRAM}_${server.pid}.ports`), 'utf8');
      const [url] = (JSON.parse(text) as { nats: string[] }).nats;
      opened = Number(new URL(url!.replace('nats:', 'http:')).port);
      return opened > 0;
    });
    return new NatsServer(opened, cluster?.own, folder, server);
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.kill(signal);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What one peer has at the broker, without a peer. */
export async function openStation(
  options: NatsOptions,
  secret: string,
  id: string,
  incarnation = `${id}-1`,
): Promise<Station> {
  const bus = await openBus(checkNatsOptions(options), Math.random);
  const keys = await deriveKeys(secret);
  return new Station(bus, new Subjects(keys.world), { id, incarnation }, () => keys.relay!);
}
