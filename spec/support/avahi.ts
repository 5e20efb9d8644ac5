import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { eventually } from './eventually.ts';
import type { LanHost } from './lan-host.ts';

/** Programs for `needLan`. */
export const AVAHI = ['avahi-daemon', 'avahi-browse', 'dbus-daemon', 'mount'];

/**
 * Avahi on a host of the LAN: the responder that Linux desktops have, as the referee of ours. It runs without systemd,
 * on a message bus of its own, and has a `/run` of its own as only one of it can run on a machine.
 */
export class Avahi {
  readonly #host: LanHost;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(host: LanHost, env: NodeJS.ProcessEnv) {
    this.#host = host;
    this.#env = env;
  }

  static async start(host: LanHost): Promise<Avahi> {
    const folder = join(host.folder, 'avahi');
    await mkdir(folder);
    const bus = `unix:path=${join(folder, 'bus')}`;
    await writeFile(join(folder, 'bus.conf'), busConfiguration(bus));
    await writeFile(join(folder, 'avahi.conf'), `[server]\nhost-name=${host.name}\nuse-ipv6=yes\n`);
    const env = { DBUS_SYSTEM_BUS_ADDRESS: bus };
    const avahi = new Avahi(host, env);
    host.spawn(['dbus-daemon', `--config-file=${join(folder, 'bus.conf')}`, '--nofork', '--nopidfile'], env);
    const daemon = `avahi-daemon --no-drop-root --no-chroot --no-rlimits -f ${join(folder, 'avahi.conf')}`;
    const script = `mount -t tmpfs none /run && mkdir -p /run/avahi-daemon && exec ${daemon}`;
    await eventually(() => host.exec('test', '-S', join(folder, 'bus')));
    const started = host.spawn(['sh', '-c', script], env);
    let told = '';
    started.stderr.on('data', (chunk: Buffer) => (told += String(chunk)));
    started.stdout.resume();
    // It is there when it has its host name, and no sooner.
    await eventually(() => {
      if (!told.includes('Server startup complete')) throw new Error(`avahi did not start: ${told}`);
    }, 20_000);
    return avahi;
  }

  /** The present entries of a service with every field resolved, one line each, as `avahi-browse -rpk` prints them. */
  async browse(service: string): Promise<string[]> {
    const words = ['avahi-browse', '--resolve', '--parsable', '--no-db-lookup', '--terminate', service];
    const printed = await this.#host.exec('env', `DBUS_SYSTEM_BUS_ADDRESS=${this.#bus}`, ...words);
    return printed.split('\n').filter((line) => line.startsWith('='));
  }

  /** Announces an endpoint until it is killed. Resolves when that is done. */
  async publish(name: string, service: string, port: number, ...txt: string[]): Promise<{ kill(): void }> {
    const words = ['avahi-publish', '-s', name, service, String(port), ...txt];
    const publisher = this.#host.spawn(words, this.#env);
    let told = '';
    publisher.stderr.on('data', (chunk: Buffer) => (told += String(chunk)));
    publisher.stdout.resume();
    await eventually(() => {
      if (!told.includes('Established')) throw new Error(`not announced: ${told}`);
    }, 20_000);
    return { kill: () => void publisher.kill('SIGINT') };
  }

  get #bus(): string {
    return this.#env['DBUS_SYSTEM_BUS_ADDRESS']!;
  }
}

/** A bus on which everybody may do everything. */
function busConfiguration(address: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
`;
}
