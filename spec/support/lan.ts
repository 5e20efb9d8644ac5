import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { capture } from './lan-capture.ts';
import type { Capture } from './lan-capture.ts';
import { LanHost } from './lan-host.ts';
import { ip, ipBatch } from './lan-tools.ts';
import { need } from './need.ts';

/**
 * A LAN of this machine's own, for specs: each host is a network namespace, and all are plugged into a switch, which
 * is a bridge in a namespace of its own. Nothing outside of these namespaces is touched.
 *
 * ```ts
 * describe('two hosts', () => {
 *   let lan: Lan;
 *   before(async function () {
 *     await needLan(this);                       // skips, or fails where CI is set; name more tools if you use them
 *     lan = await Lan.open();
 *   });
 *   after(() => lan?.close());                   // ends every process, removes every namespace
 *
 *   it('…', async () => {
 *     const a = await lan.host('a');             // eth0: 10.77.0.1/24, fd77::1/64, fe80::1; host name `a`
 *     const b = await lan.host('b');
 *     const peer = await a.start(`import … from 'app-net'; console.log('{"up":true}')`, { env: {…} });
 *     await peer.line((line) => …);              // a TestProcess of processes.ts: a real node, by its own pid
 *     await a.exec('ping', '-c1', b.address);    // any program; resolves with what it printed
 *
 *     await a.cut();                             // pulls the cable: no carrier, everything on its way is lost
 *     await a.heal();
 *     await a.lose();                            // a black hole: the link looks fine and nothing passes
 *     await a.heal();
 *     await a.delay(50, { jitter: 10, loss: 0.01 });   // each way, in ms; loss from 0 to 1
 *     await lan.split([a], [b]);                 // each group is a LAN of its own
 *     await lan.heal();                          // everything as at first
 *
 *     const capture = await lan.capture();       // every frame that passes the switch
 *     const bytes = await capture.stop();
 *   });
 * });
 * ```
 *
 * A host has a folder of its own (`a.folder`: its APP_NET_RUNTIME_DIR, where its scripts lie), so that hosts never meet
 * through files. `a.plug('lab')` gives it one more interface, on a switch of another name, and `a.unplug('eth1')` takes it
 * away. Scripts import the built library: `npm run build` first, which `npm test` does.
 *
 * `ip` of iproute2 is all it needs; `delay` needs python3 (it forwards the frames itself: netem is a kernel module
 * that small virtual machines do not have) and `capture` needs tcpdump.
 */
export class Lan {
  /** Open ones, to be removed if the process ends before they are closed. */
  static readonly #open = new Set<Lan>();
  static #count = 0;

  readonly #name: string;
  readonly #hosts: LanHost[] = [];
  /** By name, in the order in which they were made. */
  readonly #switches: string[] = [];

  private constructor(name: string) {
    this.#name = name;
  }

  static async open(): Promise<Lan> {
    if (Lan.#count === 0) {
      process.once('exit', () => {
        for (const lan of Lan.#open) lan.#abandon();
      });
      await removeLeftovers();
    }
    Lan.#count += 1;
    const lan = new Lan(`${PREFIX}${process.pid}-${Lan.#count}`);
    Lan.#open.add(lan);
    await ip('netns', 'add', lan.namespace);
    await lan.switch('lan');
    return lan;
  }

  /** The namespace of the switches. */
  get namespace(): string {
    return `${this.#name}-switch`;
  }

  /** A new host on the switch `lan`. @param name its host name, for people */
  async host(name: string): Promise<LanHost> {
    const host = new LanHost(this, name, this.#hosts.length + 1, `${this.#name}-${name}`);
    this.#hosts.push(host);
    await host.open();
    return host;
  }

  /** The number of the switch with this name, which is made if need be. */
  async switch(name: string): Promise<number> {
    const known = this.#switches.indexOf(name);
    if (known >= 0) return known;
    const number = this.#switches.push(name) - 1;
    await this.#makeBridge(`br${number}`);
    return number;
  }

  /** Puts each group of hosts on a switch of its own, with all of their interfaces on `lan`. */
  async split(...groups: LanHost[][]): Promise<void> {
    for (const [index, group] of groups.entries()) {
      const bridge = `part${index}`;
      await this.#makeBridge(bridge).catch(() => {}); // It is there since an earlier split.
      await ipBatch(
        this.namespace,
        group.map((host) => `link set ${host.port} master ${bridge}`),
      );
    }
  }

  /** Ends whatever was done by `split`, `cut`, `lose` and `delay`. */
  async heal(): Promise<void> {
    for (const host of this.#hosts) await host.heal();
  }

  /** Records every frame that enters the switches. Each is there twice: as it comes from its host, and in the bridge. */
  async capture(): Promise<Capture> {
    return capture(this.namespace);
  }

  /** Ends every process that runs in it and removes it. */
  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()));
    await ip('netns', 'del', this.namespace).catch(() => {});
    Lan.#open.delete(this);
  }

  async #makeBridge(name: string): Promise<void> {
    await ipBatch(this.namespace, [
      // A plain switch: it floods multicast without asking who wants it, and forwards at once.
      `link add ${name} type bridge mcast_snooping 0 forward_delay 0`,
      `link set ${name} addrgenmode none up`,
    ]);
  }

  /** In the last moment of the process, without waiting. */
  #abandon(): void {
    for (const host of this.#hosts) host.abandon();
    spawnSync('ip', ['netns', 'del', this.namespace]);
  }
}

const PREFIX = 'app-net-';

/** Removes the leftovers of a killed run. Each name contains the id of the process that made it. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir('/run/netns').catch(() => [])) {
    const [, pid] = /^app-net-(\d+)-/.exec(name) ?? [];
    if (pid && !existsSync(`/proc/${pid}`)) await ip('netns', 'del', name).catch(() => {});
  }
}

/**
 * For a `before` hook: skips the specs where there can be no such LAN and says why. Where `CI` is set that is a failure:
 * what is never run proves nothing.
 * @param tools programs that are needed besides `ip`
 */
export async function needLan(test: Mocha.Context, ...tools: string[]): Promise<void> {
  const lacking = await whatIsLacking(tools);
  need(test, lacking === undefined, `network namespaces and their tools: ${lacking}`);
}

async function whatIsLacking(tools: readonly string[]): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  if (process.getuid?.() !== 0)
    return 'only root may make network namespaces; run: sudo env "PATH=$PATH" npm test';
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  for (const tool of ['ip', ...tools]) {
    if (!folders.some((folder) => existsSync(join(folder, tool)))) {
      return `there is no ${tool}; run: apt-get install ${PACKAGES[tool] ?? tool}`;
    }
  }
  const lan = await Lan.open().catch((error: Error) => error);
  if (lan instanceof Error) return `no network namespace can be made here: ${lan.message}`;
  const host = await lan.host('probe').catch((error: Error) => error);
  await lan.close();
  return host instanceof Error ? `no host can be made here: ${host.message}` : undefined;
}

const PACKAGES: Record<string, string> = {
  ip: 'iproute2',
  nft: 'nftables',
  'avahi-browse': 'avahi-utils',
  'dbus-daemon': 'dbus',
};
