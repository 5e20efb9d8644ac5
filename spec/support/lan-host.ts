import { spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Lan } from './lan.ts';
import { command, execute, inside, ip, ipBatch } from './lan-tools.ts';
import { Processes } from './processes.ts';
import type { TestProcess } from './processes.ts';

const RELAY = fileURLToPath(new URL('./lan-relay.py', import.meta.url));

/** One host of a LAN: see lan.ts. */
export class LanHost {
  readonly name: string;
  readonly namespace: string;
  /** The switch's end of its first cable. */
  readonly port: string;
  readonly #lan: Lan;
  readonly #number: number;
  readonly #processes: Processes;
  readonly #programs = new Set<ChildProcess>();
  #interfaces = 0;
  #folder = '';
  #relay: ChildProcess | undefined;

  constructor(lan: Lan, name: string, number: number, namespace: string) {
    this.#lan = lan;
    this.name = name;
    this.#number = number;
    this.namespace = namespace;
    this.port = `p${number}-0`;
    this.#processes = new Processes(inside(namespace, name));
  }

  /** IPv4, on the switch `lan`. */
  get address(): string {
    return `10.77.0.${this.#number}`;
  }

  /** IPv6, unique local, on the switch `lan`. */
  get address6(): string {
    return `fd77::${this.#number.toString(16)}`;
  }

  /** The runtime directory of its processes. Their scripts are in it, too. */
  get folder(): string {
    return this.#folder;
  }

  async open(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), `app-net-host-${this.name}-`));
    await ip('netns', 'add', this.namespace);
    await ipBatch(this.namespace, ['link set lo up']);
    await this.plug('lan');
  }

  /** Adds an interface on the switch of that name. Resolves with the interface's name: `eth0`, `eth1`, … */
  async plug(switchName: string): Promise<string> {
    const number = await this.#lan.switch(switchName);
    const name = `eth${this.#interfaces}`;
    const port = `p${this.#number}-${this.#interfaces}`;
    this.#interfaces += 1;
    const host = this.#number.toString(16);
    await ipBatch(this.#lan.namespace, [
      `link add ${port} type veth peer name ${name} netns ${this.namespace}`,
      `link set ${port} master br${number} addrgenmode none up`,
    ]);
    await ipBatch(this.namespace, [
      // The addresses are set by hand, for autoconfiguration takes seconds.
      `link set ${name} addrgenmode none up`,
      `addr add 10.77.${number}.${this.#number}/24 brd + dev ${name}`,
      `addr add fd77:${number === 0 ? '' : `${number}:`}:${host}/64 dev ${name} nodad`,
      `addr add fe80::${host}/64 dev ${name} nodad`,
    ]);
    return name;
  }

  /** Takes an interface away. */
  async unplug(name: string): Promise<void> {
    await ipBatch(this.namespace, [`link del ${name}`]);
  }

  /** Starts a script as a process of this host; see `Processes.start`. */
  start(
    script: string,
    options: { env?: NodeJS.ProcessEnv; name?: string; node?: string } = {},
  ): Promise<TestProcess> {
    return this.#processes.start(this.#folder, script, options);
  }

  /** Starts node with these arguments as a process of this host. */
  run(args: string[], env: NodeJS.ProcessEnv = {}): TestProcess {
    return this.#processes.run(this.#folder, args, env);
  }

  /** Runs a program to its end. @returns what it printed @throws what it wrote to stderr */
  exec(...words: string[]): Promise<string> {
    return execute([...inside(this.namespace, this.name), ...words]);
  }

  /** Starts a program that runs until it is killed, or the LAN closed. */
  spawn(words: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<typeof command> {
    const program = command(this.namespace, this.name, words, env);
    this.#programs.add(program);
    program.once('exit', () => this.#programs.delete(program));
    return program;
  }

  /** Pulls the cable: no carrier on either end. */
  async cut(): Promise<void> {
    await ipBatch(this.#lan.namespace, [`link set ${this.port} down`]);
  }

  /** The cable stays in and nothing passes any more: neither side is told. */
  async lose(): Promise<void> {
    await ipBatch(this.#lan.namespace, [`link set ${this.port} nomaster`]);
  }

  /**
   * Every frame from or to this host takes longer. Frames keep their order.
   * @param milliseconds each way
   * @param jitter up to so many ms more, anew for each frame
   * @param loss the part of the frames that is lost, 0 to 1
   */
  async delay(milliseconds: number, { jitter = 0, loss = 0 } = {}): Promise<void> {
    await this.heal();
    const [relayed, onward] = [`d${this.#number}`, `q${this.#number}`];
    await ipBatch(this.#lan.namespace, [
      `link set ${this.port} nomaster`,
      `link add ${relayed} type veth peer name ${onward}`,
      `link set ${relayed} addrgenmode none up`,
      `link set ${onward} master br0 addrgenmode none up`,
    ]);
    const words = ['python3', RELAY, this.port, relayed, String(milliseconds), String(jitter), String(loss)];
    const relay = command(this.#lan.namespace, undefined, words);
    this.#relay = relay;
    let told = '';
    relay.stderr.on('data', (chunk: Buffer) => (told += String(chunk)));
    await new Promise<void>((resolve, reject) => {
      relay.stdout.once('data', () => resolve());
      relay.once('close', () => reject(new Error(`the relay ended: ${told}`)));
    });
  }

  /** Ends a cut, a loss, a delay, and its part in a split. */
  async heal(): Promise<void> {
    if (this.#relay) {
      await end(this.#relay);
      this.#relay = undefined;
      await ipBatch(this.#lan.namespace, [`link del d${this.#number}`]);
    }
    await ipBatch(this.#lan.namespace, [`link set ${this.port} master br0 up`]);
  }

  async close(): Promise<void> {
    const programs = [...this.#programs, ...(this.#relay ? [this.#relay] : [])];
    await Promise.all([this.#processes.clear(), ...programs.map((program) => end(program))]);
    await ip('netns', 'del', this.namespace).catch(() => {});
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** In the last moment of the process, without waiting. */
  abandon(): void {
    this.#processes.abandon();
    for (const program of this.#programs) program.kill('SIGKILL');
    this.#relay?.kill('SIGKILL');
    spawnSync('ip', ['netns', 'del', this.namespace]);
    spawnSync('rm', ['-rf', this.#folder]);
  }
}

async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const exited = once(program, 'exit');
  program.kill('SIGKILL');
  await exited;
}
