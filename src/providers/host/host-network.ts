import { isIP } from 'node:net';

import type { Network } from '../network.ts';
import type { Log } from '../../base/log.ts';
import type { TlsOptions } from '../../transport/tls.ts';
import type { Address } from '../../transport/address.ts';
import { isLoopback } from '../../transport/address.ts';
import { scopeOf } from '../../transport/scope.ts';
import { withinHost } from '../../transport/within-host.ts';
import { HostProvider } from './host.ts';
import { inTime } from './in-time.ts';
import type { Provider } from '../provider.ts';
import { defaultRuntimeDirectory, openRuntimeDirectory } from './runtime-directory.ts';
import { SharedSecret } from './shared-secret.ts';

/** The settings of a peer that this file needs. */
export interface HostSettings {
  runtimeDir: string | undefined;
  tls: (() => TlsOptions) | undefined;
  lan: boolean;
  host: string;
  seeds: readonly unknown[];
  secret: (() => string) | undefined;
  secretFile: string | undefined;
  log: Log;
}

/** How long the file system of the runtime directory may take to answer when a peer starts, in ms. */
const ANSWER_TIME = 10_000;

/**
 * The default network of a peer: WebSockets, the runtime directory in which this user's peers on this host meet, and, with `lan`,
 * multicast DNS for peers on other hosts.
 */
export function hostNetwork(settings: HostSettings): Network {
  const { runtimeDir, tls, lan, host, log } = settings;
  return {
    attach: async ({ clock, random }) => {
      // Loaded only if needed: it is a tenth of all code.
      const multicast = async (): Promise<Provider> => {
        const { MdnsProvider } = await import('../mdns/mdns.ts');
        return new MdnsProvider({ host, clock, random });
      };
      const answered = <T>(work: Promise<T>): Promise<T> =>
        inTime(ANSWER_TIME, 'the file system of the runtime directory', work);
      const directory = runtimeDir ?? (await answered(defaultRuntimeDirectory(process.env)));
      const shared = new SharedSecret(directory, (peers) => log.secretMade(directory, peers));
      const upkeep = async () => {
        const identity = await openRuntimeDirectory(directory);
        return { identity, fault: await shared.keep() };
      };
      // A peer that can do without the directory does not fail here. It warns, and keeps trying.
      if (!doesWithout(settings)) await answered(openRuntimeDirectory(directory));
      // Without `lan` a peer never leaves its host, whatever hints it gets.
      const reaches = ({ host: each }: Address): boolean =>
        lan || isLoopback(each) || (isIP(each) !== 0 && scopeOf(each) === 'host');
      // `ws` and Node's `http`, `https` and `tls` are a third of what a program that only imports this library would load.
      const { webSocketTransport } = await import('../../transport/websocket.ts');
      return {
        transport: lan ? webSocketTransport(tls) : withinHost(webSocketTransport(tls)),
        providers: [
          new HostProvider({ directory, clock, upkeep, reaches }),
          ...(lan ? [await multicast()] : []),
        ],
        secret: () => answered(shared.get()),
      };
    },
  };
}

/** Whether a peer needs no runtime directory: it has a secret, and another way to find others. */
export function doesWithout({
  lan,
  seeds,
  secret,
  secretFile,
}: Pick<HostSettings, 'lan' | 'seeds' | 'secret' | 'secretFile'>): boolean {
  return (lan || seeds.length > 0) && (secret !== undefined || secretFile !== undefined);
}
