import type { Network } from '../network.ts';
import type { Settings } from '../options.ts';
import { webSocketTransport } from '../transport/websocket.ts';
import { HostProvider } from './host.ts';
import type { Provider } from './provider.ts';
import { defaultRuntimeDirectory, openRuntimeDirectory, readOrMakeSecret } from './runtime-directory.ts';

type HostSettings = Pick<Settings, 'runtimeDir' | 'tls' | 'lan' | 'host'>;

/**
 * Where a peer is when nothing else is said: WebSockets, on this host the runtime directory in which this user's peers
 * meet, and with `lan` multicast DNS for those on other hosts.
 */
export function hostNetwork({ runtimeDir, tls, lan, host }: HostSettings): Network {
  return {
    attach: async ({ clock, random }) => {
      // Loaded where it is needed: it is a tenth of what there is to load.
      const multicast = async (): Promise<Provider> => {
        const { MdnsProvider } = await import('./mdns.ts');
        return new MdnsProvider({ host, clock, random });
      };
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
        providers: [new HostProvider(directory, clock, restore), ...(lan ? [await multicast()] : [])],
        secret: async () => (shared = await readOrMakeSecret(directory)),
      };
    },
  };
}
