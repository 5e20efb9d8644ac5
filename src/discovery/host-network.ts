import type { Network } from '../network.ts';
import type { Settings } from '../options.ts';
import { webSocketTransport } from '../transport/websocket.ts';
import { HostProvider } from './host.ts';
import { MdnsProvider } from './mdns.ts';
import { defaultRuntimeDirectory, openRuntimeDirectory, readOrMakeSecret } from './runtime-directory.ts';

type HostSettings = Pick<Settings, 'runtimeDir' | 'tls' | 'lan' | 'host'>;

/**
 * Where a peer is when nothing else is said: WebSockets, on this host the runtime directory in which this user's peers
 * meet, and with `lan` multicast DNS for those on other hosts.
 */
export function hostNetwork({ runtimeDir, tls, lan, host }: HostSettings): Network {
  return {
    attach: async ({ clock, random }) => {
      const directory = runtimeDir ?? (await defaultRuntimeDirectory(process.env));
      await openRuntimeDirectory(directory);
      let shared: string | undefined;
      const restore = async (): Promise<void> => {
        await openRuntimeDirectory(directory);
        // Or else the next peer would make another one, and not know those that run.
        if (shared !== undefined) await readOrMakeSecret(directory, shared);
      };
      return {
        transport: webSocketTransport(tls),
        providers: [
          new HostProvider(directory, clock, restore),
          ...(lan ? [new MdnsProvider({ host, clock, random })] : []),
        ],
        secret: async () => (shared = await readOrMakeSecret(directory)),
      };
    },
  };
}
