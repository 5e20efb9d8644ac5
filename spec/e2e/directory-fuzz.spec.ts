import { execFile } from 'node:child_process';
import {
  closeSync,
  openSync,
  constants,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { ownPlace } from '../../src/providers/host/place.ts';
import type { Peer, RemotePeer } from '../../src/index.ts';
import { needUnix } from '../support/need.ts';
import { meet, Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';
import { seeded } from '../support/random.ts';
import { rounds } from '../support/rounds.ts';

/** Never through a link, nor into a pipe that somebody has to read first. */
const ITSELF =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Files of any name, type and content that are put into the runtime directory of living peers. */
const CASES = rounds(4_000, 40_000);

/**
 * The directory is removed before this case only. One that starts in the moment after it cannot know that there was a
 * secret, and makes another.
 */
const LAST_REMOVAL = CASES - 500;

/** Files that are there at a time. */
const MOST_LEFT = 3_000;

/** Mebibytes that a peer may need, and ms that it may keep its own event loop busy. */
const MOST_MEMORY = 300;
const LONGEST_STALL = 200;

/**
 * It measures how long its event loop was held up by its own work: of the time between two ticks as much as this process
 * was given by the processor. A machine that is busy with something else is none of its faults.
 */
const VICTIM = `
import { createPeer } from 'app-net';
const peer = createPeer({ id: process.env.ID, logLevel: process.env.FUZZ_LOG ?? 'silent' });
let stall = 0, at = performance.now(), used = process.cpuUsage();
setInterval(() => {
  const now = performance.now();
  const { user, system } = process.cpuUsage(used);
  stall = Math.max(stall, Math.min(now - at - 10, (user + system) / 1000));
  [at, used] = [now, process.cpuUsage()];
}, 10);
peer.connect('fuzz.health', () => ({ stall, memory: process.resourceUsage().maxRSS / 1024 }));
await peer.start();
stall = 0;
console.log(JSON.stringify({ online: true }));
`;

describe('a runtime directory full of arbitrary files', function () {
  this.timeout(rounds(120_000, 0));
  const stage = new Stage();
  const processes = new Processes();
  let folder: string;
  let silent: Server;
  let victims: TestProcess[] = [];
  const held = new Set<Socket>();

  before(async function () {
    needUnix(this);
    folder = mkdtempSync(join(tmpdir(), 'app-net-spec-'));
    silent = createServer((socket) => void held.add(socket.on('error', () => {})));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    await stage.clear();
    await processes.clear();
    for (const socket of held) socket.destroy();
    silent?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('ends no peer, delays none, and prevents none from joining and being called', async () => {
    const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
    try {
      await run(seed);
    } catch (error) {
      const ends = victims.map(({ child: { exitCode, signalCode }, errors }) => ({
        exitCode,
        signalCode,
        errors,
      }));
      throw new Error(`with FUZZ_SEED=${seed}: ${JSON.stringify(ends)}`, { cause: error });
    }
  });

  async function run(seed: number): Promise<void> {
    const directory = join(folder, 'run');
    const ids = ['victim-1', 'victim-2'];
    const env = { APP_NET_RUNTIME_DIR: directory };
    victims = await Promise.all(
      ids.map((id) => processes.start(folder, VICTIM, { name: `${id}.mjs`, env: { ...env, ID: id } })),
    );
    await Promise.all(
      victims.map((victim) => victim.line(({ online }: { online?: true }) => online === true)),
    );
    const honest = stage.make({ runtimeDir: directory });
    await honest.start();
    const known = await meet(honest, ...ids);

    const fuzz = new Fuzz(directory, seed, (silent.address() as AddressInfo).port);
    await fuzz.prepare();
    let calls = 0;
    while (fuzz.count < CASES) {
      for (let index = 0; index < 100; index += 1) fuzz.next();
      // Each answer also gives the victims the time to see what was done.
      await Promise.all(known.map((peer) => health(honest, peer)));
      calls += known.length;
    }
    const young = stage.make({ runtimeDir: directory });
    await young.start();
    for (const peer of await meet(young, ...ids)) {
      const { stall, memory } = await health(young, peer);
      console.log(
        `      ${peer.id}: held up for ${stall.toFixed(0)} ms at most, ${memory.toFixed(0)} MiB at most`,
      );
      expect(stall, 'ms that its event loop was held up').to.be.lessThan(LONGEST_STALL);
      expect(memory, 'MiB').to.be.lessThan(MOST_MEMORY);
    }
    for (const victim of victims) expectAlive(victim);
    expect(calls).to.equal((2 * CASES) / 100);
  }

  const health = (from: Peer, peer: RemotePeer): Promise<{ stall: number; memory: number }> =>
    from.remote<() => { stall: number; memory: number }>('fuzz.health').on(peer, { deadline: 20_000 })();

  function expectAlive({ child, errors }: TestProcess): void {
    expect(child.exitCode).to.equal(null);
    expect(errors).to.equal('');
  }
});

class Fuzz {
  count = 0;
  readonly #directory: string;
  readonly #random: () => number;
  readonly #silent: number;
  readonly #left: string[] = [];
  #pipes: string[] = [];

  /** @param silent a port where somebody listens who never says anything */
  constructor(directory: string, seed: number, silent: number) {
    this.#directory = directory;
    this.#random = seeded(seed);
    this.#silent = silent;
  }

  /** Node makes no pipes. */
  async prepare(): Promise<void> {
    const pipes = Array.from({ length: 200 }, (_, index) => join(this.#directory, `.pipe-${index}`));
    await promisify(execFile)('mkfifo', pipes);
    this.#pipes = pipes;
  }

  next(): void {
    this.count += 1;
    const name = this.#name();
    const path = join(this.#directory, name);
    try {
      this.#act(path, name.slice(0, -'.peer.json'.length));
    } catch {
      // There is a directory of that name, or the peers have removed what was there: all of it may happen.
    }
    this.#left.push(path);
    if (this.#left.length <= MOST_LEFT) return;
    rmSync(this.#left.splice(this.#below(MOST_LEFT), 1)[0]!, { recursive: true, force: true });
  }

  #act(path: string, id: string): void {
    const kind = this.#below(100);
    const replace = this.#random() < 0.5;
    const put = (content: string | Buffer): void => {
      if (!replace) {
        const file = openSync(path, ITSELF, 0o600);
        writeFileSync(file, content);
        closeSync(file);
        return;
      }
      writeFileSync(`${path}.draft`, content, { mode: this.#random() < 0.1 ? 0 : 0o600 });
      renameSync(`${path}.draft`, path);
    };
    if (kind < 20) put(this.#bytes());
    else if (kind < 35) put(this.#cut(JSON.stringify(this.#announcement(id))));
    else if (kind < 60) put(JSON.stringify(this.#bent(this.#announcement(id))));
    else if (kind < 75) put(JSON.stringify(this.#announcement(id)));
    else if (kind < 78) {
      put('{');
      truncateSync(path, this.#below(2 ** 33));
    } else if (kind < 81) mkdirSync(path);
    else if (kind < 84) symlinkSync(this.#pick(['/dev/zero', '/proc/self/environ', '..', 'no', path]), path);
    else if (kind < 86) renameSync(this.#pipes.pop() ?? '', path);
    else if (kind < 88) rmSync(join(this.#directory, 'secret'), { force: true });
    else if (kind < 90)
      rmSync(join(this.#directory, `victim-${1 + this.#below(2)}.peer.json`), { force: true });
    else if (kind < 91 && this.#random() < 0.02 && this.count < LAST_REMOVAL)
      rmSync(this.#directory, { recursive: true, force: true });
    else {
      // Gone again before anybody can have read it, or while somebody does.
      put(JSON.stringify(this.#announcement(id)));
      rmSync(path);
    }
  }

  #announcement(id: string): Record<string, unknown> {
    const from = ownPlace()!;
    return {
      id,
      incarnation: `life-${this.count}`,
      addresses: [
        { host: this.#pick(HOSTS), port: this.#random() < 0.01 ? this.#silent : 1 + this.#below(9) },
      ],
      pid: this.#pick([process.pid, 1, 2 ** 22 - 1, this.#below(2 ** 31), 2 ** 53 - 1]),
      ...(this.#random() < 0.2 && { world: 'another' }),
      ...(this.#random() < 0.5 && { from: this.#random() < 0.5 ? from : { ...from, network: 'net:[1]' } }),
      ...(this.#random() < 0.2 && { beyond: [{ host: '192.0.2.1', port: 9 }] }),
    };
  }

  #bent(whole: Record<string, unknown>): unknown {
    if (this.#random() < 0.1) return this.#pick(VALUES);
    const key = this.#pick([...Object.keys(whole), '__proto__', 'toJSON', 'beyond', 'from', 'world']);
    return { ...whole, [key]: this.#pick(VALUES) };
  }

  #name(): string {
    const kind = this.#below(20);
    if (kind === 0) return this.#pick(NAMES);
    if (kind === 1) return `victim-${1 + this.#below(2)}.peer.json`;
    if (kind === 2) return `.draft-${this.count}`;
    return `peer-${this.#below(6_000)}.peer.json`;
  }

  #bytes(): Buffer {
    return Buffer.from(
      Array.from({ length: this.#below(this.#random() < 0.1 ? 20_000 : 300) }, () => this.#below(256)),
    );
  }

  #cut(text: string): string {
    return text.slice(0, this.#below(text.length));
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }
}

const HOSTS = [
  ...Array<string>(10).fill('127.0.0.1'),
  ...['', 'a b', '\0', 'x'.repeat(255), '127.0.0.1\r\nX: y', '../../x', '::', '0.0.0.0', '255.255.255.255'],
  ...[
    'localhost',
    '%',
    '[::1]',
    '::1%lo',
    '::1',
    '::ffff:127.0.0.1',
    '192.0.2.1',
    '127.1',
    '2130706433',
    '224.0.0.251',
  ],
];

const VALUES: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 1e308, 2 ** 53, '', 'text', '\ud800', 'x'.repeat(5_000), [], {}, [[]]],
  ...[
    { host: 'here' },
    { host: 5 },
    { host: '' },
    [{ host: '127.0.0.1', port: '9' }],
    [{ host: '127.0.0.1', port: 0 }],
  ],
  ...[16, 17].map((length) => Array.from({ length }, () => ({ host: '127.0.0.1', port: 9 }))),
  JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`),
];

const NAMES = [
  ...[
    '.peer.json',
    '__proto__.peer.json',
    'constructor.peer.json',
    'a b.peer.json',
    '\n.peer.json',
    'ü.peer.json',
  ],
  ...[
    '.secret-0123456789ab',
    '.a.b.draft',
    'secret.peer.json',
    '-.peer.json',
    '%2e%2e.peer.json',
    '....peer.json',
  ],
  `${'x'.repeat(245)}.peer.json`,
  `${'x'.repeat(64)}.peer.json`,
];
